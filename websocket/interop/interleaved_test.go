package interop

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/websocket"
)

// TestMessageInsideAnother sends a whole message between two fragments (RFC 6455 5.4), after a ping at which the reactor looks anew.
func TestMessageInsideAnother(t *testing.T) {
	const head = "GET / HTTP/1.1\r\nHost: interop\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
	const frames = "\x01\x81\x00\x00\x00\x00a" + "\x89\x80\x00\x00\x00\x00" + "\x81\x81\x00\x00\x00\x00b" + "\x80\x81\x00\x00\x00\x00c"
	for _, r := range roles[1:] {
		t.Run(r.name, func(t *testing.T) {
			raw := peer{name: "raw", dial: func(t *testing.T, url string, _ mode, _ *witness) {
				line, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { line.Close() })
				if _, err := io.WriteString(line, head); err != nil {
					t.Fatal(err)
				}
				if _, err := http.ReadResponse(bufio.NewReader(line), nil); err != nil {
					t.Fatal(err)
				}
				if _, err := io.WriteString(line, frames); err != nil {
					t.Fatal(err)
				}
				line.(*net.TCPConn).CloseWrite()
			}}
			conn, _ := r.open(t, raw, off, newWitness())
			_, message, err := conn.Read(t.Context())
			if websocket.CloseStatus(err) != websocket.StatusProtocolError {
				t.Errorf("got %q, %v", message, err)
			}
		})
	}
}
