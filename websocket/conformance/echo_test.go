package conformance_test

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/bellwire/bellwire/websocket"
	ws "github.com/bellwire/bellwire/websocket/websockettest"
)

// RFC 6455 5.6: our client and every driver, in every mode of compression: text and binary of every size come back as they were.
func TestEcho(t *testing.T) {
	limits := websocket.Limits{MessageBytes: 16 << 20}
	for _, d := range drivers(t) {
		for name, mode := range map[string]websocket.CompressionMode{
			"plain":       websocket.CompressionOff,
			"no takeover": websocket.CompressionNoContextTakeover,
			"takeover":    websocket.CompressionContextTakeover,
		} {
			t.Run(d.name+"/"+name, func(t *testing.T) {
				serverLine, clientLine := ws.Sockets(t)
				l, served := newLife(), make(chan error, 1)
				go func() {
					served <- ws.Serve(serverLine, func(w http.ResponseWriter, r *http.Request) error {
						return d.serve(w, r, &websocket.AcceptOptions{Compression: mode, Limits: limits}, l)
					})
				}()
				conn, err := ws.Dial(t.Context(), clientLine, &websocket.DialOptions{Compression: mode, Limits: limits})
				if err != nil {
					t.Fatal(err)
				}
				if err := <-served; err != nil {
					t.Fatal(err)
				}
				for _, size := range []int{0, 1, 125, 126, 127, 1000, 65535, 65536, 1 << 20 / slowness, 16 << 20 / slowness} {
					echoes(t, conn, websocket.TextMessage, size)
					echoes(t, conn, websocket.BinaryMessage, size)
				}
				if err := conn.Close(websocket.StatusNormalClosure, "done"); err != nil {
					t.Error(err)
				}
				if err := <-l.ended; websocket.CloseStatus(err) != websocket.StatusNormalClosure {
					t.Error(err)
				}
			})
		}
	}
}

func echoes(t *testing.T, conn *websocket.Conn, kind websocket.MessageType, size int) {
	t.Helper()
	sent := bytes.Repeat([]byte("Bellwire "), size/9+1)[:size]
	if err := conn.Write(t.Context(), kind, sent); err != nil {
		t.Fatal(err)
	}
	gotKind, got, err := conn.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if gotKind != kind || !bytes.Equal(got, sent) {
		t.Fatalf("%v of %d bytes: %v of %d came back", kind, size, gotKind, len(got))
	}
}
