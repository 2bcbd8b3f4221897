package transport

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync"

	"github.com/bellwire/bellwire/websocket/reactor"
)

// Listen takes the connections of a listener where a loop can serve them from the first byte on. Plain opening handshakes for
// one path, and requests for event lines at another, are answered there, behind the guard, without an HTTP server's goroutine
// and buffers, which were more than a third of the cost of connecting. Every other connection comes out of the listener
// returned, for an HTTP server, with nothing read of it. secure sets what the header of every answer has.
//
// Without a reactor all of them do.
func (t *WebSocket) Listen(listener net.Listener, path string, events *Events, eventsPath string, guard *Guard,
	secure func(http.ResponseWriter)) (net.Listener, error) {
	if t.reactor == nil {
		return t.config.Admission.Listen(listener), nil
	}
	rest := &restListener{address: listener.Addr(), admission: t.config.Admission}
	rest.changed = sync.NewCond(&rest.mu)
	stop, err := t.reactor.Serve(listener, reactor.Door{
		Path:        path,
		StreamPath:  eventsPath,
		HeadTimeout: t.config.HeadTimeout,
		Admit: func(peer netip.AddrPort) (any, bool) {
			slot, ok := t.config.Admission.admit(peer.Addr().Unmap())
			return slot, ok
		},
		Handler: func(w http.ResponseWriter, r *http.Request, ticket any) {
			slot := ticket.(*Slot)
			if r.URL.Path == eventsPath {
				secure(w)
				if !guard.allows(w, r) || !events.answer(w, r, slot) {
					slot.Release()
				}
				return
			}
			if guard.allows(w, r) && t.serve(w, r, slot) {
				return
			}
			slot.Release()
			secure(w)
		},
		Other: func(line net.Conn, ticket any) { rest.push(line, ticket.(*Slot)) },
		Gone:  func(ticket any) { ticket.(*Slot).Release() },
	})
	rest.stop = stop
	return rest, err
}

// restMax connections may wait for the HTTP server; it takes them as fast as goroutines start.
const restMax = 4096

// restListener hands out what the door leaves to an HTTP server.
type restListener struct {
	address   net.Addr
	admission *Admission
	stop      func() // shuts the door

	mu      sync.Mutex
	changed *sync.Cond
	// Guarded by mu.
	waiting []net.Conn
	closed  bool
}

var errListenerClosed = errors.Join(errors.New("the listener is closed"), net.ErrClosed)

func (l *restListener) push(conn net.Conn, slot *Slot) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || len(l.waiting) == restMax {
		conn.Close()
		slot.Release()
		return
	}
	if slot != nil {
		l.admission.keep(conn, slot)
	}
	l.waiting = append(l.waiting, conn)
	l.changed.Signal()
}

// Accept implements net.Listener.
func (l *restListener) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.waiting) == 0 {
		if l.closed {
			return nil, errListenerClosed
		}
		l.changed.Wait()
	}
	conn := l.waiting[0]
	if l.waiting = l.waiting[1:]; len(l.waiting) == 0 {
		l.waiting = nil
	}
	return conn, nil
}

// Close implements net.Listener. No connection is accepted any more when it returns.
func (l *restListener) Close() error {
	for _, conn := range l.close() {
		conn.Close()
		l.admission.forget(conn).Release()
	}
	l.stop()
	return nil
}

func (l *restListener) close() (left []net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	left, l.waiting, l.closed = l.waiting, nil, true
	l.changed.Broadcast()
	return left
}

func (l *restListener) Addr() net.Addr { return l.address }
