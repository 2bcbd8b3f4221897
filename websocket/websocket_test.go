package websocket_test

import (
	"bytes"
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

func TestEcho(t *testing.T) {
	modes := map[string]websocket.CompressionMode{
		"plain":       websocket.CompressionOff,
		"no takeover": websocket.CompressionNoContextTakeover,
		"takeover":    websocket.CompressionContextTakeover,
	}
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			limits := websocket.Limits{MessageBytes: 16 << 20}
			url := serveEcho(t, &websocket.AcceptOptions{Compression: mode, Limits: limits})
			conn := dial(t, url, &websocket.DialOptions{Compression: mode, Limits: limits})
			for _, size := range []int{0, 1, 125, 126, 127, 1000, 65535, 65536, 1 << 20 / slowness, 16 << 20 / slowness} {
				for _, kind := range []websocket.MessageType{websocket.TextMessage, websocket.BinaryMessage} {
					sent := bytes.Repeat([]byte("Bellwire "), size/9+1)[:size]
					if err := conn.Write(t.Context(), kind, sent); err != nil {
						t.Fatal(err)
					}
					gotKind, got, err := conn.Read(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					if gotKind != kind || !bytes.Equal(got, sent) {
						t.Fatalf("%v of %d bytes: echo differs: %v of %d", kind, size, gotKind, len(got))
					}
				}
			}
			if err := conn.Close(websocket.StatusNormalClosure, "done"); err != nil {
				t.Fatal(err)
			}
		})
	}
}
