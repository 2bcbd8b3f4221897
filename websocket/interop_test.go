package websocket_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	coder "github.com/coder/websocket"
	gorilla "github.com/gorilla/websocket"

	"github.com/bellwire/bellwire/websocket"
)

// Independent implementations, in both roles: they must take what we send and we
// what they send.

// foreign is another implementation as an echo server and as a client.
type foreign struct {
	name  string
	serve func(compress bool) http.HandlerFunc
	dial  func(ctx context.Context, url string, compress bool) (foreignConn, error)
}

// foreignConn is as much of a connection as the test needs.
type foreignConn interface {
	write(ctx context.Context, text bool, message []byte) error
	read(ctx context.Context) (text bool, message []byte, err error)
	close() error
	drop()
}

const interopMax = 32 << 20

func foreigners() []foreign {
	return []foreign{
		{
			"gorilla",
			func(compress bool) http.HandlerFunc {
				upgrader := gorilla.Upgrader{EnableCompression: compress}
				return func(w http.ResponseWriter, r *http.Request) {
					conn, err := upgrader.Upgrade(w, r, nil)
					if err == nil {
						echoForeign(r.Context(), gorillaConn{conn})
					}
				}
			},
			func(ctx context.Context, url string, compress bool) (foreignConn, error) {
				d := gorilla.Dialer{EnableCompression: compress}
				conn, _, err := d.DialContext(ctx, url, nil)
				return gorillaConn{conn}, err
			},
		},
		coderWith("coder", coder.CompressionNoContextTakeover),
		coderWith("coder with takeover", coder.CompressionContextTakeover),
	}
}

func coderWith(name string, mode coder.CompressionMode) foreign {
	choose := func(compress bool) coder.CompressionMode {
		if compress {
			return mode
		}
		return coder.CompressionDisabled
	}
	return foreign{
		name,
		func(compress bool) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				conn, err := coder.Accept(w, r, &coder.AcceptOptions{CompressionMode: choose(compress)})
				if err == nil {
					conn.SetReadLimit(interopMax)
					echoForeign(r.Context(), coderConn{conn})
				}
			}
		},
		func(ctx context.Context, url string, compress bool) (foreignConn, error) {
			conn, _, err := coder.Dial(ctx, url, &coder.DialOptions{CompressionMode: choose(compress)})
			if err == nil {
				conn.SetReadLimit(interopMax)
			}
			return coderConn{conn}, err
		},
	}
}

func echoForeign(ctx context.Context, conn foreignConn) {
	defer conn.drop()
	for {
		text, message, err := conn.read(ctx)
		if err != nil {
			return
		}
		if conn.write(ctx, text, message) != nil {
			return
		}
	}
}

type gorillaConn struct{ *gorilla.Conn }

func (c gorillaConn) write(_ context.Context, text bool, message []byte) error {
	return c.WriteMessage(map[bool]int{true: gorilla.TextMessage, false: gorilla.BinaryMessage}[text], message)
}

func (c gorillaConn) read(context.Context) (bool, []byte, error) {
	kind, message, err := c.ReadMessage()
	return kind == gorilla.TextMessage, message, err
}

func (c gorillaConn) close() error {
	err := c.WriteMessage(gorilla.CloseMessage, gorilla.FormatCloseMessage(1000, "bye"))
	if err == nil {
		if _, _, err = c.ReadMessage(); gorilla.IsCloseError(err, 1000) {
			err = nil
		}
	}
	c.Conn.Close()
	return err
}

func (c gorillaConn) drop() { c.Conn.Close() }

type coderConn struct{ *coder.Conn }

func (c coderConn) write(ctx context.Context, text bool, message []byte) error {
	return c.Write(ctx, map[bool]coder.MessageType{true: coder.MessageText, false: coder.MessageBinary}[text], message)
}

func (c coderConn) read(ctx context.Context) (bool, []byte, error) {
	kind, message, err := c.Read(ctx)
	return kind == coder.MessageText, message, err
}

func (c coderConn) drop() { c.CloseNow() }

func (c coderConn) close() error { return c.Close(coder.StatusNormalClosure, "bye") }

// interopMessages are of all sizes, some that compress and some that do not.
func interopMessages() [][]byte {
	noise := make([]byte, 300000/slowness)
	state := uint32(1)
	for i := range noise {
		state = state*1664525 + 1013904223
		noise[i] = byte(state>>24) & 0x7f
	}
	messages := [][]byte{nil, noise[:1], noise[:1000], noise}
	for _, size := range []int{125, 126, 127, 511, 512, 65535, 65536, 1 << 20 / slowness, 16 << 20 / slowness} {
		messages = append(messages, []byte(strings.Repeat("Bellwire ", size/9+1)[:size]))
	}
	return messages
}

func TestInterop(t *testing.T) {
	for _, f := range foreigners() {
		for _, compress := range []bool{false, true} {
			for _, mode := range []websocket.CompressionMode{websocket.CompressionNoContextTakeover, websocket.CompressionContextTakeover} {
				if !compress {
					mode = websocket.CompressionOff
				}
				name := fmt.Sprintf("%s, %v", f.name, mode)
				t.Run("our client/"+name, func(t *testing.T) { ourClient(t, f, compress, mode) })
				t.Run("our server/"+name, func(t *testing.T) { ourServer(t, f, compress, mode) })
				if !compress {
					break
				}
			}
		}
	}
}

func ourClient(t *testing.T, f foreign, compress bool, mode websocket.CompressionMode) {
	server := httptest.NewServer(f.serve(compress))
	defer server.Close()
	conn, response, err := websocket.Dial(t.Context(), server.URL, &websocket.DialOptions{
		Compression: mode, Limits: websocket.Limits{MessageBytes: interopMax},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if agreed := response.Header.Get("Sec-Websocket-Extensions") != ""; agreed != compress && mode != websocket.CompressionContextTakeover {
		t.Errorf("compression agreed: %v", agreed)
	}
	for _, message := range interopMessages() {
		for _, kind := range []websocket.MessageType{websocket.TextMessage, websocket.BinaryMessage} {
			if err := conn.Write(t.Context(), kind, message); err != nil {
				t.Fatal(err)
			}
			gotKind, got, err := conn.Read(t.Context())
			if err != nil || gotKind != kind || !bytes.Equal(got, message) {
				t.Fatalf("%d bytes: got %v of %d, %v", len(message), gotKind, len(got), err)
			}
		}
	}
	if err := conn.Close(websocket.StatusNormalClosure, "bye"); err != nil {
		t.Error(err)
	}
}

func ourServer(t *testing.T, f foreign, compress bool, mode websocket.CompressionMode) {
	url := serveEcho(t, &websocket.AcceptOptions{Compression: mode, Limits: websocket.Limits{MessageBytes: interopMax}})
	conn, err := f.dial(t.Context(), "ws"+strings.TrimPrefix(url, "http"), compress)
	if err != nil {
		t.Fatal(err)
	}
	for _, message := range interopMessages() {
		for _, text := range []bool{true, false} {
			if err := conn.write(t.Context(), text, message); err != nil {
				t.Fatal(err)
			}
			gotText, got, err := conn.read(t.Context())
			if err != nil || gotText != text || !bytes.Equal(got, message) {
				t.Fatalf("%d bytes: got text %v of %d, %v", len(message), gotText, len(got), err)
			}
		}
	}
	if err := conn.close(); err != nil {
		t.Error(err)
	}
}
