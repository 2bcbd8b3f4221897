package conformance_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/bellwire/bellwire/websocket"
)

// VC-13: many connections at once, each with bytes of its own: none sees
// another's, nor memory that was given back (which race builds poison).
func TestNoForeignBytes(t *testing.T) {
	for _, d := range drivers(t) {
		t.Run(d.name, func(t *testing.T) {
			exchangeOwn(t, "ws://"+listen(t, d, &websocket.AcceptOptions{Compression: websocket.CompressionContextTakeover}), 50)
		})
	}
}

func exchangeOwn(t *testing.T, url string, connections int) {
	const messages = 200 / slowness * 2
	var wg sync.WaitGroup
	for n := range connections {
		wg.Go(func() {
			mode := websocket.CompressionMode(n % 3)
			conn, _, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{Compression: mode})
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.CloseNow()
			for m := range messages {
				own := strings.Repeat(fmt.Sprintf("<%d:%d>", n, m), 1+m*37%900)
				if err := conn.Write(t.Context(), websocket.TextMessage, []byte(own)); err != nil {
					t.Error(err)
					return
				}
				if _, got, err := conn.Read(t.Context()); err != nil || string(got) != own {
					t.Errorf("connection %d, message %d: %.40q, %v", n, m, got, err)
					return
				}
			}
			if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
