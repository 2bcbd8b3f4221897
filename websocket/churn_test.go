package websocket_test

import (
	"os"
	"testing"
	"time"

	"github.com/bellwire/bellwire/websocket"
)

// G9: connections that come and go, in each way to go, leave nothing: no
// descriptor here, no goroutine by TestMain.
func TestChurn(t *testing.T) {
	descriptors := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("no /proc here")
		}
		return len(entries)
	}
	url := serveEcho(t, &websocket.AcceptOptions{Compression: websocket.CompressionContextTakeover, CloseTimeout: time.Second})
	ways := []func(*websocket.Conn){
		func(c *websocket.Conn) { c.Close(websocket.StatusNormalClosure, "") },
		func(c *websocket.Conn) { c.CloseNow() },
		func(c *websocket.Conn) {
			c.Write(t.Context(), websocket.TextMessage, make([]byte, 1000))
			c.CloseNow()
		},
		func(c *websocket.Conn) {
			if w, err := c.Writer(t.Context(), websocket.BinaryMessage); err == nil {
				w.Write(make([]byte, 5000))
			}
			c.CloseNow()
		},
	}
	once := func(n int) {
		conn, _, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{Compression: websocket.CompressionMode(n % 3)})
		if err != nil {
			t.Fatal(err)
		}
		ways[n%len(ways)](conn)
	}
	for n := range 12 {
		once(n)
	}
	before := descriptors()
	for n := range 1000 / slowness {
		once(n)
	}
	// The server's half of the last ones may be on its way out.
	for wait := 0; descriptors() > before+2 && wait < 500; wait++ {
		time.Sleep(10 * time.Millisecond)
	}
	if after := descriptors(); after > before+2 {
		t.Errorf("%d descriptors are open, %d before", after, before)
	}
}
