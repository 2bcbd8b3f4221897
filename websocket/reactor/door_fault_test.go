//go:build linux

package reactor_test

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/websocket/reactor"
)

// Whatever the program of a door does with a connection, and however it panics, costs that connection and no other: the
// loop and the door live on. One that takes the line and does not begin is what becomes of an answer that could not be written.
func TestADoorOutlivesItsProgram(t *testing.T) {
	plain := "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
	for name, row := range map[string]struct {
		say  string
		fail func(*reactor.Door)
	}{
		"the handler takes the line and ends it": {handshakeHead, func(d *reactor.Door) {
			d.Handler = func(w http.ResponseWriter, _ *http.Request, _ any) {
				line, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
				}
				line.Close()
			}
		}},
		"the handler takes the line and forgets it": {handshakeHead, func(d *reactor.Door) {
			d.Handler = func(w http.ResponseWriter, _ *http.Request, _ any) { http.NewResponseController(w).Hijack() }
		}},
		"the handler takes the line and panics": {handshakeHead, func(d *reactor.Door) {
			d.Handler = func(w http.ResponseWriter, _ *http.Request, _ any) {
				http.NewResponseController(w).Hijack()
				panic("handler")
			}
		}},
		"admitting panics": {handshakeHead, func(d *reactor.Door) {
			d.Admit = func(netip.AddrPort) (any, bool) { panic("admit") }
		}},
		"handing over panics":       {plain, func(d *reactor.Door) { d.Other = func(net.Conn, any) { panic("other") } }},
		"the news of an end panics": {"", func(d *reactor.Door) { d.Gone = func(any) { panic("gone") } }},
	} {
		t.Run(name, func(t *testing.T) {
			var works, fails reactor.Door
			p := newPorch(t, reactor.Config{Loops: 1}, func(d *reactor.Door) {
				works, fails = *d, *d
				row.fail(&fails)
				failing := func(ticket any) *reactor.Door { // the first connection of a row fails
					if ticket == "first" {
						return &fails
					}
					return &works
				}
				first := true
				d.Admit = func(peer netip.AddrPort) (any, bool) {
					if !first {
						return works.Admit(peer)
					}
					first = false
					_, ok := fails.Admit(peer)
					return "first", ok
				}
				d.Handler = func(w http.ResponseWriter, r *http.Request, ticket any) { failing(ticket).Handler(w, r, ticket) }
				d.Other = func(line net.Conn, ticket any) { failing(ticket).Other(line, ticket) }
				d.Gone = func(ticket any) { failing(ticket).Gone(ticket) }
			})
			line := p.dial()
			line.SetDeadline(time.Now().Add(10 * time.Second)) // a bound for a hang
			p.say(line, row.say)
			line.(*net.TCPConn).CloseWrite()
			if answer, err := io.ReadAll(line); err == nil && strings.Contains(string(answer), " 101 ") {
				t.Errorf("answered %q", answer)
			}
			for range 2 {
				p.answered(p.served(), http.StatusSwitchingProtocols)
			}
			p.stop()
			if n := p.Connections(); n != 2 {
				t.Errorf("%d connections", n)
			}
		})
	}
}

// served connects one that asks to be served.
func (p *porch) served() net.Conn {
	line := p.dial()
	line.SetDeadline(time.Now().Add(10 * time.Second)) // a bound for a hang
	p.say(line, handshakeHead)
	return line
}
