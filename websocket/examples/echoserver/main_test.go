package main

import (
	"context"
	"net"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/websocket"
)

// start runs the program's server until the test ends, and returns its address.
func start(t *testing.T, arguments ...string) string {
	t.Helper()
	o, err := parse(append([]string{"--listen", "127.0.0.1:0"}, arguments...))
	if err != nil {
		t.Fatal(err)
	}
	addresses := make(chan net.Addr, 1)
	o.listening = func(a net.Addr) { addresses <- a }
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, o) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return (<-addresses).String()
}

func TestEcho(t *testing.T) {
	for _, compression := range []string{"off", "no-takeover", "takeover"} {
		var mode websocket.CompressionMode
		if err := mode.UnmarshalText([]byte(compression)); err != nil {
			t.Fatal(err)
		}
		conn, _, err := websocket.Dial(t.Context(), "ws://"+start(t, "--compression", compression), &websocket.DialOptions{Compression: mode})
		if err != nil {
			t.Fatal(err)
		}
		message := strings.Repeat("bellwire ", 100)
		if err := conn.Write(t.Context(), websocket.TextMessage, []byte(message)); err != nil {
			t.Fatal(err)
		}
		if _, got, err := conn.Read(t.Context()); err != nil || string(got) != message {
			t.Fatalf("%s: got %.20q, %v", compression, got, err)
		}
		if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
			t.Error(err)
		}
	}
}

func TestMessageLimit(t *testing.T) {
	conn, _, err := websocket.Dial(t.Context(), "ws://"+start(t, "--message-limit", "10"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	conn.Write(t.Context(), websocket.BinaryMessage, make([]byte, 11))
	if _, _, err := conn.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusMessageTooBig {
		t.Error(err)
	}
}

func TestFlags(t *testing.T) {
	for _, arguments := range [][]string{{"--driver", "magic"}, {"--compression", "much"}, {"--unknown"}} {
		if _, err := parse(arguments); err == nil {
			t.Errorf("%q is taken", arguments)
		}
	}
}
