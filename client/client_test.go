package client_test

import (
	"fmt"
	"testing"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/client/internal/modelserver"
	"github.com/bellwire/bellwire/realtime"
)

func TestPublishReachesASubscriberInBothFormats(t *testing.T) {
	for _, format := range []client.Format{client.JSON, client.Proto} {
		t.Run(format.String(), func(t *testing.T) {
			s := startServer(t)
			c := connect(t, s, &client.Options{Format: format})
			lobby := c.Channel("chat:lobby", nil)
			publications := lobby.Publications(within(t))
			for i := range 3 {
				published, err := lobby.Publish(within(t), map[string]int{"n": i}, nil)
				if err != nil || published.Offset != uint64(i+1) || published.Epoch == "" || published.Duplicate {
					t.Fatalf("published %+v, %v", published, err)
				}
			}
			n := 0
			for p, err := range publications {
				if err != nil {
					t.Fatal(err)
				}
				want := fmt.Sprintf(`{"n":%d}`, n)
				if string(p.Payload.Bytes) != want || p.Position.Offset != uint64(n+1) || p.Channel != "chat:lobby" || p.From.User == "" {
					t.Fatalf("got %+v, want %s", p, want)
				}
				if n++; n == 3 {
					break
				}
			}
		})
	}
}

func TestACutLineIsResumedExactly(t *testing.T) {
	s := startServer(t)
	c := connect(t, s, nil)
	lobby := c.Channel("chat:lobby", nil)
	publications := lobby.Publications(within(t))
	if err := lobby.Subscribe(within(t)); err != nil {
		t.Fatal(err)
	}
	const rounds, each = 5, 10
	published := 0
	publish := func() {
		for range each {
			published++
			s.with(func(m *modelserver.Server) { m.Publish("chat:lobby", realtime.JSON(fmt.Append(nil, published))) })
		}
	}
	publish()
	n := 0
	for p, err := range publications {
		if err != nil {
			t.Fatal(err)
		}
		if n++; p.Position.Offset != uint64(n) || string(p.Payload.Bytes) != fmt.Sprint(n) {
			t.Fatalf("publication %d is %s at %d", n, p.Payload.Bytes, p.Position.Offset)
		}
		if n == rounds*each {
			break
		}
		if n == published {
			s.cut()
			publish() // SUB-4: nobody was there to hear it
		}
	}
}
