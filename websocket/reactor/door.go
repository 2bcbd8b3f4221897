package reactor

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"
)

// Door says how connections are taken from a listener without an HTTP server in between,
// whose goroutine, buffers and wake-ups cost as much as all the rest of a new connection. It
// takes plain opening handshakes and plain GET requests for streams only; everything else is handed over untouched. No field
// but Admit and Gone may be nil.
type Door struct {
	// Admit is asked for each connection, before anything is read of it; for one on which nothing comes, after a second. What it gives comes
	// with the connection until Handler, Other or Gone has it. With false it is closed. Nil admits everybody.
	Admit func(peer netip.AddrPort) (ticket any, ok bool)

	// Path is where opening handshakes are answered, and StreamPath where requests for streams are; "": nowhere.
	Path       string
	StreamPath string

	// Handler answers an opening handshake for Path, or a GET request for StreamPath, on a loop: it calls Upgrade, or
	// Streams.Take, or writes another answer of at most 4 KiB. It must not block, and keep nothing of the request but strings.
	Handler func(w http.ResponseWriter, request *http.Request, ticket any)

	// Other gets a connection that begins with anything else, nothing of which has been
	// read. It is called on a loop and must not block.
	Other func(line net.Conn, ticket any)

	// Gone is told of a connection that ended before it had begun with anything. Nil: nobody asks.
	Gone func(ticket any)

	// HeadTimeout is how long a connection may take until then. Default 5 s, at most a minute.
	HeadTimeout time.Duration
}

const (
	headTimeoutDefault = 5 * time.Second
	headTimeoutMax     = time.Minute

	// refusalBytesMax bounds the body of a refusal, refusalLinger how long its reader has for it.
	refusalBytesMax = 4 << 10
	refusalLinger   = time.Second

	// doorTurnMax connections are accepted by a loop, at most, before the next one does.
	doorTurnMax = 32

	// acceptMax connections are taken before the loop looks after its other work.
	acceptMax = 64

	// acceptPause is how long nothing is accepted when descriptors or memory have run out.
	acceptPause = 100 * time.Millisecond
)

var (
	errShut     = errors.New("the door is shut")
	errSlowHead = errors.New("no request came in time")
)

// entrance is an open door. One loop has it at a time, or it is on its way from one to the next.
type entrance struct {
	Door
	fd       int32         // the listener's
	shutting atomic.Bool   // whoever gets it is to shut it
	gone     chan struct{} // closed when no loop accepts any more

	// Owned by the loop that has it.
	again time.Duration // when to accept again; 0: it does
	taken int           // connections that were accepted since it came
}

// newcomer is an accepted connection that has not begun with anything.
type newcomer struct {
	fd     int32
	peer   netip.AddrPort
	ticket any
	door   *entrance
}

// Serve takes connections from a TCP listener, which is the reactor's from now on, until it
// ends or the function it returns is called, which waits until none is accepted any more. It may be
// called once. The loops accept in turns, and each serves what it has accepted.
func (r *Reactor) Serve(listener net.Listener, door Door) (stop func(), err error) {
	fd, err := takeListener(listener)
	if err != nil {
		return nil, err
	}
	setOptions(int(fd), r.config.UserTimeout, false) // inherited by what is accepted: a call less for each connection
	deferAccept(int(fd))
	e := &entrance{Door: door, fd: fd, gone: make(chan struct{})}
	if e.HeadTimeout <= 0 {
		e.HeadTimeout = headTimeoutDefault
	}
	e.HeadTimeout = min(e.HeadTimeout, headTimeoutMax)
	if !r.door.CompareAndSwap(nil, e) {
		closeDescriptor(fd)
		return nil, errors.New("websocket/reactor: there is a door already")
	}
	if err := r.loops[0].post(call{kind: callOpenDoor}, 0); err != nil {
		closeDescriptor(fd)
		return nil, err
	}
	return func() {
		e.shutting.Store(true)
		for _, l := range r.loops {
			l.post(call{kind: callShutDoor}, 0) // fails if it has stopped, and left no door open
		}
		<-e.gone
	}, nil
}

// openDoor accepts from now on.
func (l *loop) openDoor() {
	l.door = l.reactor.door.Load()
	if l.door.shutting.Load() {
		l.shutDoor()
		return
	}
	if err := l.poller.addListener(l.door.fd); err != nil {
		l.pauseDoor(l.door, err)
	}
}

// pauseDoor accepts nothing for a while.
func (l *loop) pauseDoor(e *entrance, err error) {
	l.reactor.config.Logger.Warn("accepting", "error", err, "again", acceptPause)
	e.again = l.now + acceptPause
}

// shutDoor ends the door if this loop has it: nobody accepts any more.
func (l *loop) shutDoor() {
	if e := l.door; e != nil {
		l.door = nil
		closeDescriptor(e.fd)
		close(e.gone)
	}
}

// passDoor lets the next loop accept. A connection that one loop accepted and another one served would take a wake-up
// of each; so it stays where it was accepted, and the door goes round. Together with deferAccept that spared 3.5 µs of the
// 48 of a connection of the server on two processors; neither did by itself.
func (l *loop) passDoor() {
	e := l.door
	e.taken = 0
	loops := l.reactor.loops
	l.poller.removeListener(e.fd)
	l.door = nil
	if loops[(l.index+1)%len(loops)].post(call{kind: callOpenDoor}, 0) != nil {
		l.door = e
		l.shutDoor()
	}
}

// doorTurn is how many connections a loop accepts before the next one does: one by one as long as there are few, so that
// these are spread evenly, and later an eighth of what a loop has.
func (r *Reactor) doorTurn() int {
	return min(max(r.Connections()/(8*len(r.loops)), 1), doorTurnMax)
}

// accept takes new connections, until the door has to be passed on.
func (l *loop) accept() {
	e := l.door
	if e == nil || e.again != 0 {
		return
	}
	for range acceptMax {
		fd, peer, err := acceptOne(e.fd)
		switch {
		case err == nil:
			l.receiveNewcomer(&newcomer{fd: fd, peer: peer, door: e})
			if e.taken++; e.taken >= l.reactor.doorTurn() && len(l.reactor.loops) > 1 {
				l.passDoor()
				return
			}
		case err == errDry:
			return
		case isShortage(err):
			// The connection stays in the queue and the listener readable: to try again at once would take all the time there is.
			l.pauseDoor(e, err)
			l.poller.removeListener(e.fd)
			return
		}
	}
}

// receiveNewcomer asks whether a connection may come in.
func (l *loop) receiveNewcomer(n *newcomer) {
	if err := l.reactor.population.enter(l.reactor.config.ConnectionsMax); err != nil {
		closeDescriptor(n.fd)
		return
	}
	if !l.admit(n) {
		l.reactor.population.leave()
		closeDescriptor(n.fd)
		return
	}
	l.greet(n)
}

// admit asks the program. One that panics admits nobody.
func (l *loop) admit(n *newcomer) (ok bool) {
	if n.door.Admit == nil {
		return true
	}
	defer l.doorRecovered(nil)
	n.ticket, ok = n.door.Admit(n.peer)
	return ok
}

func (l *loop) turnAway(n *newcomer) {
	l.reactor.population.leave()
	closeDescriptor(n.fd)
	l.tellGone(n)
}

func (l *loop) tellGone(n *newcomer) {
	if n.door.Gone != nil {
		defer l.doorRecovered(nil)
		n.door.Gone(n.ticket)
	}
}

// doorRecovered is deferred where a door calls into the program. A panic ends the line, if there is one, and not the loop.
func (l *loop) doorRecovered(line net.Conn) {
	cause := recover()
	if cause == nil {
		return
	}
	l.reactor.config.Logger.Error("handler panicked", "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
	if line != nil {
		line.Close()
	}
}

// reopenDoor accepts again when the pause is over.
func (l *loop) reopenDoor() {
	if e := l.door; e != nil && e.again != 0 && l.now >= e.again {
		e.again = 0
		l.openDoor()
	}
}

func (l *loop) doorDeadline() (time.Duration, bool) {
	if e := l.door; e != nil && e.again != 0 {
		return e.again, true
	}
	return 0, false
}

// greet looks at what a connection wants, or waits for it. Mostly it is there already (see deferAccept); so epoll gets to
// know of the connection afterwards, and does not tell what has been read by then.
func (l *loop) greet(n *newcomer) {
	if l.draining != nil {
		l.turnAway(n)
		return
	}
	c := l.table.take()
	c.fd, c.state, c.data, c.interest = n.fd, greeting, n, interestRead
	l.greeted = c
	l.peek(c)
	l.greeted = nil
	if c.broken || c.state == free {
		return
	}
	if err := l.poller.add(c.fd, c.slot, c.generation, c.interest); err != nil {
		l.doom(c, err)
		return
	}
	if c.state == greeting {
		l.wheel.put(&l.table, c, l.now+n.door.HeadTimeout)
	}
}

// left says that a connection ended before it had begun with anything.
func (l *loop) left(c *line) {
	n := c.data.(*newcomer)
	c.data = nil
	l.tellGone(n)
}

// peek looks at what a connection begins with. Only what the door's handler is for is
// taken; of anything else nothing has been read when others get it.
func (l *loop) peek(c *line) {
	n := c.data.(*newcomer)
	got, err := peekAt(c.fd, l.input)
	switch {
	case err == errDry:
		return
	case err != nil || got == 0:
		l.doom(c, errShut)
		return
	}
	request, length, ok := l.head.read(l.input[:got])
	defer l.head.clear()
	if !ok || !n.door.answers(request) {
		l.handOver(c, n)
		return
	}
	if taken, err := receive(c.fd, l.input[:length]); err != nil || taken != length {
		l.doom(c, errShut)
		return
	}
	request.RemoteAddr = n.peer.String()
	l.answer(c, n, request)
	poison(l.input[:got])
	if c.lives() && got > length {
		l.readable(c, false)
	}
}

// answers reports whether a request is for the handler.
func (d *Door) answers(request *http.Request) bool {
	if request.URL.RawPath != "" {
		return false
	}
	if upgrade, asks := request.Header["Upgrade"]; asks {
		return request.URL.Path == d.Path && strings.EqualFold(upgrade[0], "websocket")
	}
	return d.StreamPath != "" && request.URL.Path == d.StreamPath
}

// handOver gives a connection to those who serve what is no handshake.
func (l *loop) handOver(c *line, n *newcomer) {
	line, err := netConn(c.fd)
	if err != nil {
		l.doom(c, err)
		return
	}
	c.data = nil
	l.release(c)
	defer l.doorRecovered(line)
	n.door.Other(line, n.ticket)
}

// answer has the program answer a request.
func (l *loop) answer(c *line, n *newcomer, request *http.Request) {
	v := &visit{loop: l, line: c}
	c.data, l.visit = nil, v
	c.state = lingering // and greeting no more: the ticket is the program's now
	l.callHandler(n, v, request)
	switch {
	case c.lives() || c.broken:
	case v.hijacked:
		l.doom(c, errShut)
	default:
		l.refuse(c, v, request)
	}
	v.line, l.visit = nil, nil
}

func (l *loop) callHandler(n *newcomer, v *visit, request *http.Request) {
	defer func() {
		if cause := recover(); cause != nil {
			l.reactor.config.Logger.Error("handler panicked", "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
			v.status, v.body = http.StatusInternalServerError, nil
		}
	}()
	n.door.Handler(v, request, n.ticket)
}

// refuse writes the answer of a handshake that failed, and gives its reader a moment to see it.
func (l *loop) refuse(c *line, v *visit, request *http.Request) {
	c.backlog = &backlog{due: l.now + refusalLinger}
	if n, err := send(c.fd, v.response(request)); err != nil || n == 0 {
		l.doom(c, errShut)
		return
	}
	shutdownWrite(c.fd)
	l.wheel.put(&l.table, c, c.backlog.due)
}
