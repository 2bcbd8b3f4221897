package reactor

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"sync"
	"time"
)

// Door says how connections are taken from a listener without an HTTP server in between,
// whose goroutine, buffers and wake-ups cost as much as all the rest of a new connection. It
// takes plain opening handshakes only; everything else is handed over untouched. No field but Admit and Gone may be nil.
type Door struct {
	// Admit is asked for each connection, before anything is read of it. What it gives comes
	// with the connection until Handler, Other or Gone has it. With false it is closed. Nil admits everybody.
	Admit func(peer netip.AddrPort) (ticket any, ok bool)

	// Path is where opening handshakes are answered.
	Path string

	// Handler answers an opening handshake for Path, on a loop: it calls Upgrade, or writes a
	// refusal of at most 4 KiB. It must not block, and keep nothing of the request but strings.
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

	// acceptMax connections are taken before the loop looks after its other work.
	acceptMax = 64

	// acceptPause is how long nothing is accepted when descriptors or memory have run out.
	acceptPause = 100 * time.Millisecond
)

var (
	errShut     = errors.New("the door is shut")
	errSlowHead = errors.New("no request came in time")
)

// entrance is an open door.
type entrance struct {
	Door
	fd    int32         // the listener's
	again time.Duration // when to accept again; 0: it does
	shut  sync.Once
	gone  chan struct{} // closed when no loop accepts any more
}

// newcomer is an accepted connection on its way to its loop.
type newcomer struct {
	fd     int32
	peer   netip.AddrPort
	ticket any
	door   *entrance
}

// Serve takes connections from a TCP listener, which is the reactor's from now on, until it
// ends or the function it returns is called, which waits until none is accepted any more. It may be
// called once. One loop accepts, and all serve.
func (r *Reactor) Serve(listener net.Listener, door Door) (stop func(), err error) {
	fd, err := takeListener(listener)
	if err != nil {
		return nil, err
	}
	setOptions(int(fd), r.config.UserTimeout, false) // inherited by what is accepted: a call less for each connection
	e := &entrance{Door: door, fd: fd, gone: make(chan struct{})}
	if e.HeadTimeout <= 0 {
		e.HeadTimeout = headTimeoutDefault
	}
	e.HeadTimeout = min(e.HeadTimeout, headTimeoutMax)
	if !r.door.CompareAndSwap(nil, e) {
		closeDescriptor(fd)
		return nil, errors.New("websocket/reactor: there is a door already")
	}
	doorman := r.loops[0]
	if err := doorman.post(call{kind: callOpenDoor}, 0); err != nil {
		closeDescriptor(fd)
		return nil, err
	}
	return func() {
		if doorman.post(call{kind: callShutDoor}, 0) == nil {
			<-e.gone
		}
	}, nil
}

func (l *loop) openDoor() {
	l.door = l.reactor.door.Load()
	if err := l.poller.addListener(l.door.fd); err != nil {
		l.pauseDoor(l.door, err)
	}
}

// pauseDoor accepts nothing for a while.
func (l *loop) pauseDoor(e *entrance, err error) {
	l.reactor.config.Logger.Warn("accepting", "error", err, "again", acceptPause)
	e.again = l.now + acceptPause
}

// shutDoor accepts no more. Those that have not said what they want are let go.
func (l *loop) shutDoor() {
	e := l.reactor.door.Load()
	if e == nil || l.index != 0 {
		return
	}
	l.door = nil
	e.shut.Do(func() {
		closeDescriptor(e.fd)
		close(e.gone)
	})
}

// accept takes new connections, and spreads them over the loops.
func (l *loop) accept() {
	for range acceptMax {
		e := l.door
		if e == nil || e.again != 0 {
			return
		}
		fd, peer, err := acceptOne(e.fd)
		switch {
		case err == nil:
			l.receiveNewcomer(&newcomer{fd: fd, peer: peer, door: e})
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

// receiveNewcomer asks whether a connection may come in, and gives it to a loop.
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
	to := l.reactor.loops[l.reactor.next.Add(1)%uint32(len(l.reactor.loops))]
	if to == l {
		l.greet(n)
		return
	}
	if to.post(call{kind: callGreet, what: n}, 0) != nil {
		l.turnAway(n)
	}
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

// greet waits for what a connection wants.
func (l *loop) greet(n *newcomer) {
	if l.draining != nil {
		l.turnAway(n)
		return
	}
	c := l.table.take()
	c.fd, c.state, c.data, c.interest = n.fd, greeting, n, interestRead
	if err := l.poller.add(c.fd, c.slot, c.generation, c.interest); err != nil {
		l.doom(c, err)
		return
	}
	l.wheel.put(&l.table, c, l.now+n.door.HeadTimeout)
}

// left says that a connection ended before it had begun with anything.
func (l *loop) left(c *line) {
	n := c.data.(*newcomer)
	c.data = nil
	l.tellGone(n)
}

// peek looks at what a connection begins with. Only a plain opening handshake for the door's path is
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
	if !ok || request.URL.Path != n.door.Path || request.URL.RawPath != "" {
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
	if c.state == open && got > length {
		l.readable(c, false)
	}
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

// answer has the program answer an opening handshake.
func (l *loop) answer(c *line, n *newcomer, request *http.Request) {
	v := &visit{loop: l, line: c}
	c.data, l.visit = nil, v
	c.state = lingering // and greeting no more: the ticket is the program's now
	l.callHandler(n, v, request)
	switch {
	case c.state == open || c.broken:
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

// visit is the ResponseWriter of an opening handshake on a loop.
type visit struct {
	loop     *loop
	line     *line       // nil: it is over
	header   http.Header // made when it is asked for
	status   int
	body     []byte
	hijacked bool
}

// visitContext leads from a request to the loop that answers it.
type visitContext struct {
	context.Context
	loop *loop
}

// visitOf returns the visit that a request came by, nil when it came by an HTTP server.
func visitOf(request *http.Request) *visit {
	if c, ok := request.Context().(visitContext); ok {
		return c.loop.visit
	}
	return nil
}

func (v *visit) Header() http.Header {
	if v.header == nil {
		v.header = make(http.Header)
	}
	return v.header
}

func (v *visit) WriteHeader(status int) {
	if v.status == 0 {
		v.status = status
	}
}

func (v *visit) Write(b []byte) (int, error) {
	v.WriteHeader(http.StatusOK)
	if len(v.body)+len(b) > refusalBytesMax {
		return 0, http.ErrContentLength
	}
	v.body = append(v.body, b...)
	return len(b), nil
}

// Hijack implements http.Hijacker. What it returns is good for the response alone.
func (v *visit) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if v.hijacked || v.line == nil {
		return nil, nil, http.ErrHijacked
	}
	v.hijacked = true
	return visitLine{v}, v.loop.nothing, nil
}

// response is what a refusal is on the wire: always the last on its connection (VC-22).
func (v *visit) response(request *http.Request) []byte {
	if v.status == 0 {
		v.status = http.StatusInternalServerError
	}
	answer := http.Response{
		StatusCode: v.status, ProtoMajor: 1, ProtoMinor: 1, Header: v.Header(), Request: request, Close: true,
		Body: http.NoBody, ContentLength: int64(len(v.body)),
	}
	v.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
	var b bytes.Buffer
	_ = answer.Write(&b) // a buffer takes everything
	b.Write(v.body)
	return b.Bytes()
}

// visitLine is the line of a visit, as the code that answers handshakes sees it.
type visitLine struct{ visit *visit }

var errVisit = errors.New("websocket/reactor: a line of a loop is only written to")

func (l visitLine) Write(b []byte) (int, error) {
	if l.visit.line == nil {
		return 0, net.ErrClosed
	}
	n, err := send(l.visit.line.fd, b)
	if err == nil && n < len(b) {
		err = ErrSlow // a new socket takes far more than an answer
	}
	return n, err
}

func (l visitLine) Close() error {
	if c := l.visit.line; c != nil {
		l.visit.loop.doom(c, errShut)
	}
	return nil
}

func (l visitLine) Read([]byte) (int, error)         { return 0, errVisit }
func (l visitLine) LocalAddr() net.Addr              { return nil }
func (l visitLine) RemoteAddr() net.Addr             { return nil }
func (l visitLine) SetDeadline(time.Time) error      { return nil }
func (l visitLine) SetReadDeadline(time.Time) error  { return nil }
func (l visitLine) SetWriteDeadline(time.Time) error { return nil }

// begin makes a line that was greeted one that speaks.
func (v *visit) begin(a *arrival) {
	l, c := v.loop, v.line
	c.state = open
	c.settings, c.data, c.compresses = a.settings, a.data, a.deflate != nil
	c.endpoint.Init(&a.settings.config, a.deflate, l.now)
	if keepAlive := a.settings.config.PingInterval < 0; keepAlive {
		setOptions(int(c.fd), l.reactor.config.UserTimeout, keepAlive)
	}
	l.start(c, nil)
}
