package websocket_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/bellwire/bellwire/websocket"
)

// serveEcho starts a server that echoes every message, and returns its URL.
func serveEcho(t testing.TB, opts *websocket.AcceptOptions) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, opts)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		echo(r.Context(), conn)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func echo(ctx context.Context, conn *websocket.Conn) error {
	var buf []byte
	for {
		kind, message, err := conn.ReadInto(ctx, buf)
		if err != nil {
			return err
		}
		if err := conn.Write(ctx, kind, message); err != nil {
			return err
		}
		buf = message
	}
}

func dial(t testing.TB, url string, opts *websocket.DialOptions) *websocket.Conn {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), url, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseNow() })
	return conn
}
