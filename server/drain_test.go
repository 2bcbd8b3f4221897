package server

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire/server/config"
)

// FL-11, LIV-5: readiness goes first, new lines get 503 while the old ones are moved away with a window, what was
// acknowledged has been delivered, and the process ends.
func TestFL11Drain(t *testing.T) {
	const lines = 50
	f := start(t, func(c *config.Config) { c.Drain = 3 * time.Second })
	all := make([]*line, lines)
	for i := range all {
		all[i] = f.anonymous()
		all[i].send(`{"id":2,"subscribe":{"channels":[{"channel":"chat:a"}]}}`)
		all[i].expect("subscribed")
		all[i].expect("subscribe")
	}
	if status, _ := f.call("publish", `{"channel":"chat:a","data":"last"}`); status != 200 {
		t.Fatal(status)
	}
	if status, _, _ := f.get("/readyz", nil); status != 200 {
		t.Errorf("ready before: %d", status)
	}
	f.stop()
	f.awaitDraining()
	if status, _, _ := f.get("/readyz", nil); status != http.StatusServiceUnavailable {
		t.Errorf("readyz while draining: %d", status)
	}
	if status, _, _ := f.get("/healthz", nil); status != 200 {
		t.Errorf("healthz while draining: %d", status)
	}
	if status, header, _ := f.raw(upgrade("/ws")); status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" {
		t.Errorf("a new line while draining: %d %v", status, header)
	}
	var wait sync.WaitGroup
	for _, l := range all {
		wait.Go(func() {
			if got := l.expect("publication"); got["data"] != "last" {
				t.Errorf("publication: %v", got)
			}
			end := l.expect("disconnect")
			window, _ := end["reconnect"].(map[string]any)
			if end["code"] != 4500.0 || window["window_ms"] == nil {
				t.Errorf("disconnect: %v", end)
			}
			l.expectEnd(4500)
		})
	}
	wait.Wait()
	f.end()
}

// awaitDraining asks until the node says that it drains; the last request that finds it ready is the moment before.
func (f *fixture) awaitDraining() {
	f.t.Helper()
	deadline := time.Now().Add(patience)
	for !f.server.node.Info().Draining {
		if time.Now().After(deadline) {
			f.t.Fatal("the server does not drain")
		}
		time.Sleep(time.Millisecond)
	}
}

// A client that does not read does not keep the server from ending.
func TestADeafClientDoesNotKeepTheServer(t *testing.T) {
	f := start(t, func(c *config.Config) {
		c.Drain = 100 * time.Millisecond
		c.Limits.CloseTimeout, c.Limits.WriteTimeout = 200*time.Millisecond, 200*time.Millisecond
	})
	f.anonymous() // never reads again
	f.end()
}

func TestAListenerThatFailsEndsTheServer(t *testing.T) {
	f := start(t, nil)
	f.server.publicListener.Close()
	select {
	case err := <-f.done:
		if err == nil {
			t.Error("no error")
		}
		f.done <- nil
	case <-time.After(patience):
		t.Fatal("the server goes on without a listener")
	}
}

func TestReadyAsksTheBackend(t *testing.T) {
	f := start(t, nil)
	if status, _, body := f.get("/readyz", nil); status != 200 || string(body) != "{\"status\":\"ready\"}\n" {
		t.Errorf("%d %s", status, body)
	}
	if err := f.server.node.Ready(context.Background()); err != nil {
		t.Error(err)
	}
}
