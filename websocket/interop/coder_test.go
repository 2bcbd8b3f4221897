package interop

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	coder "github.com/coder/websocket"
)

var coderPeer = peer{
	name:  "coder",
	modes: []mode{off, declined, unwanted, noTakeover, takeover, ourWish, theirWish},
	serve: func(t *testing.T, m mode, w *witness) string {
		server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			conn, err := coder.Accept(rw, r, &coder.AcceptOptions{
				CompressionMode: coderMode(m), Subprotocols: []string{subprotocolOurs},
			})
			if err != nil {
				return
			}
			w.opened <- opening{subprotocol: conn.Subprotocol()}
			echoCoder(context.Background(), conn, w)
		}))
		t.Cleanup(server.Close)
		return server.URL
	},
	dial: func(t *testing.T, url string, m mode, w *witness) {
		conn, response, err := coder.Dial(t.Context(), url, &coder.DialOptions{
			CompressionMode: coderMode(m), Subprotocols: offered,
		})
		if err != nil {
			t.Fatal(err)
		}
		w.opened <- opening{conn.Subprotocol(), extensionsOf(response)}
		runs(t, func() { echoCoder(context.Background(), conn, w) })
	},
}

func coderMode(m mode) coder.CompressionMode {
	switch m.theirs {
	case "no-takeover":
		return coder.CompressionNoContextTakeover
	case "takeover":
		return coder.CompressionContextTakeover
	}
	return coder.CompressionDisabled
}

type coderConn struct {
	*coder.Conn
	ctx   context.Context
	pongs chan error
}

func echoCoder(ctx context.Context, conn *coder.Conn, w *witness) {
	conn.SetReadLimit(-1)
	c := coderConn{conn, ctx, nil}
	defer conn.CloseNow()
	for {
		kind, message, err := conn.Read(ctx)
		if err != nil {
			var closed coder.CloseError
			if errors.As(err, &closed) {
				w.closed <- ending{int(closed.Code), closed.Reason}
			}
			return
		}
		if answer(c, kind == coder.MessageText, message) != nil {
			return
		}
	}
}

func coderType(text bool) coder.MessageType {
	if text {
		return coder.MessageText
	}
	return coder.MessageBinary
}

func (c coderConn) send(text bool, message []byte) error {
	return c.Write(c.ctx, coderType(text), message)
}

func (c coderConn) sendFragments(text bool, fragments [][]byte) error {
	message, err := c.Writer(c.ctx, coderType(text))
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

// ping lets the loop go on, which has to read the pong.
func (c coderConn) ping(payload string) error {
	go func() {
		ctx, cancel := within()
		defer cancel()
		if c.Ping(ctx) == nil {
			c.send(true, []byte("pong "+payload))
		}
	}()
	return nil
}

func (c coderConn) end(code int, reason string) error {
	if err := c.Close(coder.StatusCode(code), reason); err != nil {
		return err
	}
	return errors.New("closed")
}
