package interop

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	gorilla "github.com/gorilla/websocket"
)

// gorillaPeer knows compression without context takeover alone.
var gorillaPeer = peer{
	name:  "gorilla",
	modes: []mode{off, noTakeover, ourWish},
	serve: func(t *testing.T, m mode, w *witness) string {
		upgrader := gorilla.Upgrader{EnableCompression: m.theirs != "off", Subprotocols: []string{subprotocolOurs}}
		server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			conn, err := upgrader.Upgrade(rw, r, nil)
			if err != nil {
				return
			}
			w.opened <- opening{subprotocol: conn.Subprotocol()}
			echoGorilla(conn, w)
		}))
		t.Cleanup(server.Close)
		return server.URL
	},
	dial: func(t *testing.T, url string, m mode, w *witness) {
		dialer := gorilla.Dialer{EnableCompression: m.theirs != "off", Subprotocols: offered}
		conn, response, err := dialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(url, "http"), nil)
		if err != nil {
			t.Fatal(err)
		}
		w.opened <- opening{conn.Subprotocol(), extensionsOf(response)}
		runs(t, func() { echoGorilla(conn, w) })
	},
}

// runs starts what a client does, and makes the test wait for it.
func runs(t *testing.T, run func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		run()
	}()
	t.Cleanup(func() { await(t, "the end of the peer", done) })
}

type gorillaConn struct{ *gorilla.Conn }

func echoGorilla(conn *gorilla.Conn, w *witness) {
	defer conn.Close()
	conn.SetReadLimit(messageMax)
	conn.SetPongHandler(func(payload string) error {
		return conn.WriteMessage(gorilla.TextMessage, []byte("pong "+payload))
	})
	for {
		kind, message, err := conn.ReadMessage()
		if err != nil {
			var closed *gorilla.CloseError
			if errors.As(err, &closed) {
				w.closed <- ending{closed.Code, closed.Text}
			}
			return
		}
		if answer(gorillaConn{conn}, kind == gorilla.TextMessage, message) != nil {
			return
		}
	}
}

func gorillaType(text bool) int {
	if text {
		return gorilla.TextMessage
	}
	return gorilla.BinaryMessage
}

func (c gorillaConn) send(text bool, message []byte) error {
	return c.WriteMessage(gorillaType(text), message)
}

// sendFragments leaves it to the size of gorilla's buffer how many frames there are.
func (c gorillaConn) sendFragments(text bool, fragments [][]byte) error {
	message, err := c.NextWriter(gorillaType(text))
	if err != nil {
		return err
	}
	for _, fragment := range fragments {
		if _, err := message.Write(fragment); err != nil {
			return err
		}
	}
	return message.Close()
}

func (c gorillaConn) ping(payload string) error {
	return c.WriteControl(gorilla.PingMessage, []byte(payload), time.Time{})
}

func (c gorillaConn) end(code int, reason string) error {
	return c.WriteControl(gorilla.CloseMessage, gorilla.FormatCloseMessage(code, reason), time.Time{})
}
