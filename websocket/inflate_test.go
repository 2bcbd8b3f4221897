package websocket_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/deflate"
	"github.com/bellwire/bellwire/websocket/endpoint"
	"github.com/bellwire/bellwire/websocket/frame"
	ws "github.com/bellwire/bellwire/websocket/websockettest"
)

// longText takes several steps to inflate.
var longText = strings.Repeat("long ", endpoint.InflateStepBytes)

func deflated(t *testing.T, message string) ws.Frame {
	t.Helper()
	payload, ok := deflate.NewPool(0, 0).Alone([]byte(message))
	if !ok {
		t.Fatal("does not compress")
	}
	return ws.Frame{Fin: true, RSV1: true, Opcode: frame.Text, Payload: payload}
}

// compressing is asServer, with compression.
func compressing(t *testing.T) (*ws.Peer, *websocket.Conn) {
	t.Helper()
	opts := &websocket.AcceptOptions{Compression: websocket.CompressionNoContextTakeover, PingInterval: -1}
	peer, engine := asServer(t, opts, "Sec-WebSocket-Extensions: permessage-deflate\r\n")
	return peer, engine
}

// CP-02: who has to wait until others have inflated what is large does so without harm: small messages do not wait, a context that
// ends leaves the message where it is, and all that came with it comes in order.
func TestLargeMessageWaits(t *testing.T) {
	for name, read := range map[string]func(context.Context, *websocket.Conn) (string, error){
		"Read": func(ctx context.Context, conn *websocket.Conn) (string, error) {
			_, message, err := conn.Read(ctx)
			return string(message), err
		},
		"Reader": func(ctx context.Context, conn *websocket.Conn) (string, error) {
			_, r, err := conn.Reader(ctx)
			if err != nil {
				return "", err
			}
			var text strings.Builder
			_, err = io.Copy(&text, r)
			return text.String(), err
		},
	} {
		t.Run(name, func(t *testing.T) {
			peer, engine := compressing(t)
			go peer.Send(deflated(t, strings.Repeat("brief", 100)), deflated(t, longText), text("behind"))
			giveBack := sync.OnceFunc(websocket.TakeInflaters())
			defer giveBack()
			defer engine.CloseNow()
			if got, err := read(t.Context(), engine); err != nil || got != strings.Repeat("brief", 100) {
				t.Errorf("got %.20q, %v", got, err)
			}
			for range 20 {
				ctx, cancel := context.WithCancelCause(t.Context())
				enough := errors.New("enough")
				go cancel(enough) // before it waits, or while it does
				if got, err := read(ctx, engine); !errors.Is(err, enough) {
					t.Fatalf("got %.20q, %v", got, err)
				}
			}
			giveBack()
			for _, want := range []string{longText, "behind"} {
				if got, err := read(t.Context(), engine); err != nil || got != want {
					t.Errorf("got %.20q, %v", got, err)
				}
			}
			if n := websocket.InflatersTaken(); n != 0 {
				t.Errorf("%d are still taken", n)
			}
		})
	}
}

// Serve waits too, and goes on when one is free.
func TestServeWaitsForAnInflater(t *testing.T) {
	peer, engine := compressing(t)
	giveBack := websocket.TakeInflaters()
	got := make(chan string, 4)
	ended := make(chan error, 1)
	go func() {
		ended <- engine.Serve(t.Context(), func(_ *websocket.Turn, _ websocket.MessageType, payload []byte) error {
			got <- string(payload)
			return nil
		})
	}()
	peer.Send(text("before"), deflated(t, longText), text("behind"))
	if first := <-got; first != "before" {
		t.Errorf("got %.20q", first)
	}
	if err := engine.Write(t.Context(), websocket.TextMessage, []byte("meanwhile")); err != nil {
		t.Error(err)
	}
	if frame, err := peer.Receive(); err != nil || string(frame.Payload) != "meanwhile" {
		t.Errorf("got %v, %v", frame, err)
	}
	giveBack()
	for _, want := range []string{longText, "behind"} {
		if message := <-got; message != want {
			t.Errorf("got %.20q", message)
		}
	}
	peer.Line.Close()
	<-ended
}

// The end of the connection ends the wait.
func TestCloseNowEndsTheWaitForAnInflater(t *testing.T) {
	giveBack := websocket.TakeInflaters()
	defer giveBack()
	for range 3 {
		peer, engine := compressing(t)
		failed := make(chan error)
		go func() {
			_, _, err := engine.Read(context.Background())
			failed <- err
		}()
		peer.Send(deflated(t, longText))
		engine.AwaitWait()
		if err := engine.Write(t.Context(), websocket.TextMessage, []byte("meanwhile")); err != nil {
			t.Errorf("Write while the reader waits: %v", err)
		}
		engine.CloseNow()
		if err := <-failed; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Read: %v", err)
		}
		peer.Line.Close()
	}
}
