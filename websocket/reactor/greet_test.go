//go:build linux

package reactor

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bellwire/bellwire/websocket/endpoint"
	"github.com/bellwire/bellwire/websocket/frame"
	"github.com/bellwire/bellwire/websocket/websockettest"
)

// FL-11: who was on the way to a loop while that began to drain is let go, and its ticket comes back.
func TestALoopThatDrainsGreetsNobody(t *testing.T) {
	l, _, _ := still(t, endpoint.Config{}, settings{})
	used := l.table.used
	l.draining = new(closing)
	l.reactor.population.count.Add(1) // as the doorman has
	server, peer := websockettest.Sockets(t)
	fd, err := takeOver(server, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	var gone any
	l.greet(&newcomer{fd: fd, ticket: "its", door: &entrance{Door: Door{Gone: func(ticket any) { gone = ticket }}}})
	if gone != "its" || l.reactor.Connections() != 0 || l.table.used != used {
		t.Errorf("ticket %v came back, %d connections, %d lines", gone, l.reactor.Connections(), l.table.used-used)
	}
	if _, err := io.ReadAll(peer); err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Error(err)
	}
}

// VC-22: a refusal is followed by the end of the stream at once, and its line does not stay.
func TestARefusalEndsTheStream(t *testing.T) {
	l, c, peer := still(t, endpoint.Config{}, settings{})
	peer.SetDeadline(time.Now().Add(20 * time.Second)) // a bound for a hang: this loop does nothing by itself
	v := &visit{loop: l, line: c}
	http.Error(v, "no", http.StatusForbidden)
	l.refuse(c, v, &http.Request{Method: http.MethodGet})
	answer, err := io.ReadAll(peer)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 403 ") || !strings.HasSuffix(string(answer), "\r\n\r\nno\n") {
		t.Errorf("%q %v", answer, err)
	}
	l.now += refusalLinger
	if l.due(c); !c.broken {
		t.Error("the line stays")
	}
}

// HS-21: what has come behind a handshake is looked at with it: nothing more may come, and the system says no more of what is there.
func TestWhatComesBehindAHandshakeIsReadWithIt(t *testing.T) {
	l, c, peer := still(t, endpoint.Config{}, settings{})
	peer.SetDeadline(time.Now().Add(20 * time.Second)) // a bound for a hang: this loop does nothing by itself
	c.state = greeting
	c.data = &newcomer{fd: c.fd, door: &entrance{Door: Door{Path: "/ws", Handler: func(w http.ResponseWriter, r *http.Request, _ any) {
		if err := l.reactor.Upgrade(w, r, nil, nil); err != nil {
			t.Error(err)
		}
	}}}}
	said := plainHead + string(websockettest.Fin(frame.Ping, "behind").Append(nil, true))
	said = strings.Replace(said, "Origin:   https://example.com  \r\n", "", 1)
	if _, err := io.WriteString(peer, said); err != nil {
		t.Fatal(err)
	}
	for got := 0; got < len(said); { // until it is there
		got, _ = peekAt(c.fd, l.input)
	}
	l.peek(c)
	answer := make([]byte, 4096)
	for read := 0; !strings.HasSuffix(string(answer[:read]), "\x8a\x06behind"); {
		n, err := peer.Read(answer[read:])
		if err != nil {
			t.Fatalf("%q %v", answer[:read], err)
		}
		read += n
	}
}
