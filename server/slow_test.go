package server

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
	"github.com/bellwire/bellwire/server/config"
)

// FL-01, LIV-6: who does not read is ended as slow when its queue is full; who reads gets everything; memory stays.
func TestFL01ASlowClientIsEnded(t *testing.T) {
	f := start(t, func(c *config.Config) {
		c.Limits.CloseTimeout, c.Limits.WriteTimeout = 500*time.Millisecond, 2*time.Second // twice, where the first saw progress
	})
	subscribe := func() *line {
		l := f.anonymous()
		l.send(`{"id":2,"subscribe":{"channels":[{"channel":"chat:a"}]}}`)
		l.expect("subscribed")
		l.expect("subscribe")
		return l
	}
	deaf, honest := subscribe(), subscribe()
	const publications = 400 // of 48 KiB: far more than the queue and what the system's sockets hold
	payload := realtime.JSON([]byte(`"` + strings.Repeat("x", 48<<10) + `"`))
	for offset := range publications {
		if _, err := f.server.node.Publish(context.Background(), broker.Draft{Channel: "chat:a", Payload: payload}); err != nil {
			t.Fatal(err)
		}
		if got := honest.expect("publication"); got["offset"] != float64(offset+1) {
			t.Fatalf("the honest client got %v", got["offset"])
		}
	}
	deadline := time.Now().Add(patience)
	for f.server.node.Info().Connections > 1 {
		if time.Now().After(deadline) {
			t.Fatal("the deaf client is still connected")
		}
		runtime.Gosched()
	}
	_, _, metrics := f.get("/metrics", nil)
	if !strings.Contains(string(metrics), `bellwire_connections_closed_total{code="slow"`) {
		t.Error("nobody was counted as slow")
	}
	_ = deaf.conn.CloseNow()
	f.alive()
}

// LIV-1: a line on which nothing comes, and whose ping is not answered, ends.
func TestLIV1ASilentClientIsEnded(t *testing.T) {
	f := start(t, func(c *config.Config) {
		c.Limits.Ping, c.Limits.Pong = time.Second, 100*time.Millisecond
	})
	l := f.anonymous() // does not read any more, so that it answers no ping
	counted := func() bool {
		_, _, metrics := f.get("/metrics", nil)
		return strings.Contains(string(metrics), `bellwire_connections_closed_total{code="no_pong"`)
	}
	for deadline := time.Now().Add(patience); !counted(); {
		if time.Now().After(deadline) {
			t.Fatal("the silent client was not ended with no_pong")
		}
	}
	_ = l.conn.CloseNow()
	f.alive()
}
