package reactor

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/frame"
)

// loop owns connections. One goroutine runs it, and all fields but those marked
// otherwise are that goroutine's own.
type loop struct {
	// Immutable after newLoop.
	reactor *Reactor
	poller  *poller
	index   int
	drain   func(uintptr) bool // l.turns, made once

	inbox inbox // has its own lock

	table  table
	wheel  wheel
	now    time.Duration
	events []event
	input  []byte   // what is read of any line
	ahead  []ahead  // of input
	spare  [][]byte // buffers for what endpoints put out
	lent   int      // how many endpoints have one
	calls  []call
	called int // of calls

	unread, stillUnread []reference // lines with more input than one buffer, in this turn and the next
	inflating           []reference // lines that are held, in the order of their turns
	inflateSteps        int         // how many are left in this turn

	doomed     []doom      // lines whose socket has failed
	palette    []byte      // frames of fan-out that are being written
	departures []departure // output from calls
	departed   int         // of departures
	members    []membership
	memberID   int32 // the first free membership; none: -1
	armed      time.Duration
	turn       Turn
	handle     *Loop     // for the program
	door       *entrance // what this loop accepts from; nil: nothing
	greeted    *line     // what greet is looking at; nil: nothing
	head       *head
	visit      *visit            // the handshake that is being answered; nil: none
	nothing    *bufio.ReadWriter // is what was buffered of it: what came after its head is still in the socket
	draining   *closing          // how connections are closed that come; nil as long as connections are taken
	stopping   bool
}

// doom is a line that has to end, and why.
type doom struct {
	reference
	err error
}

// reference is a line that may be gone when it is looked at again.
type reference struct{ slot, generation uint32 }

// epoch is where this process counts its instants from.
var epoch = time.Now()

func instant() time.Duration { return time.Since(epoch) }

const (
	eventsMax = 1024
	wakeSlot  = -1
	doorSlot  = -2

	// callsKept is up to how many calls the memory for them is kept.
	callsKept = 4096

	// spareMax buffers of at least spareBytes and at most spareBytesMax are kept.
	spareMax      = 64
	spareBytes    = 4 << 10
	spareBytesMax = 512 << 10
)

func newLoop(r *Reactor, index int) (*loop, error) {
	p, err := newPoller()
	if err != nil {
		return nil, err
	}
	l := &loop{
		reactor:  r,
		poller:   p,
		index:    index,
		events:   make([]event, eventsMax),
		input:    make([]byte, r.config.ReadBytes),
		memberID: -1,
		now:      instant(),
	}
	l.turn.loop = l
	l.handle = &Loop{own: l}
	l.head = newHead(visitContext{context.Background(), l})
	l.nothing = bufio.NewReadWriter(new(bufio.Reader), nil)
	l.wheel.init(l.now)
	l.drain = l.turns
	return l, nil
}

// run waits and works until the loop is stopped. The wait is that of a goroutine:
// the epoll descriptor is itself watched by Go's runtime, so that no thread blocks in
// the system and none has to be handed over when it wakes. On two cores, with 128 bytes
// echoed, this costs 1.01 of a loop in C; a blocking wait in a goroutine 1.30, and one on a
// locked thread 1.57.
func (l *loop) run() {
	for !l.stopping {
		err := l.poller.raw.Read(l.drain)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			// Sets it anew, or else Read fails before it has called drain.
			l.armed = 0
			l.poller.file.SetReadDeadline(time.Time{})
		case err != nil && !l.stopping:
			panic(fmt.Errorf("watching epoll: %w", err))
		}
	}
}

// turns works until nothing is left to do, and reports whether the loop has
// stopped; if not, the goroutine is parked until something happens.
func (l *loop) turns(uintptr) bool {
	l.inbox.stayAwake()
	for {
		n := l.poller.poll(l.events)
		l.now = instant()
		l.inflateOn()
		l.readOn()
		l.serveAll(l.events[:n])
		l.takeCalls()
		l.depart()
		l.endDoomed()
		for c := l.wheel.advance(&l.table, l.now); c != nil; c = l.wheel.advance(&l.table, l.now) {
			l.due(c)
		}
		l.endDoomed()
		if l.stopping {
			return true
		}
		l.reopenDoor()
		if n == 0 && len(l.unread) == 0 && len(l.inflating) == 0 && len(l.departures) == 0 && l.called == len(l.calls) && l.inbox.mayWait() {
			l.arm()
			return false
		}
	}
}

// arm makes the wait end when the wheel is due. The deadline changes once a tick
// at most, never with a message.
func (l *loop) arm() {
	due, ok := l.wheel.deadline()
	if again, waits := l.doorDeadline(); waits && (!ok || again < due) {
		due, ok = again, true
	}
	if !ok || l.armed == due {
		return
	}
	l.armed = due
	l.poller.file.SetReadDeadline(epoch.Add(due))
}

// serve acts on what epoll says of one line.
func (l *loop) serve(e *event) {
	switch e.Fd {
	case wakeSlot:
		return
	case doorSlot:
		l.accept()
		return
	}
	c := l.table.find(uint32(e.Fd), uint32(e.Pad))
	if c == nil || c.broken {
		return // it went, or is about to, in this very turn
	}
	if e.Events&interestWrite != 0 {
		l.writable(c)
	}
	switch {
	case c.state == greeting:
		l.peek(c)
	case c.unread || c.held: // its turn comes
	case c.interest&interestRead != 0:
		l.readable(c, e.Events&eventEnd != 0)
	case e.Events&eventHangUp != 0:
		l.doom(c, os.ErrClosed) // both directions are gone: what is unread has nobody to be answered to
	}
}

// readOn goes on with lines that have more than one buffer of input, one buffer
// each: one that floods does not starve its neighbours.
func (l *loop) readOn() {
	lines := l.unread
	l.unread = l.stillUnread[:0]
	for _, u := range lines {
		if c := l.table.find(u.slot, u.generation); c != nil && !c.broken {
			c.unread = false
			l.readable(c, true)
		}
	}
	l.stillUnread = lines
}

// takeCalls does what other goroutines have asked for. What would make more fan-out
// than is being written already waits for the turns that follow.
func (l *loop) takeCalls() {
	if l.called == len(l.calls) {
		if clear(l.calls); cap(l.calls) > callsKept {
			l.calls = nil
		}
		l.calls, l.called = l.inbox.takeCalls(l.calls[:0]), 0
	}
	for l.called < len(l.calls) && len(l.palette) <= paletteBytesMax {
		l.called++
		l.do(&l.calls[l.called-1])
	}
}

func (l *loop) do(c *call) {
	switch c.kind {
	case callAttach:
		l.attach(c.what.(*arrival))
	case callBroadcast:
		l.broadcast(c.what.(*shard), c.with.(*Prepared))
	case callCarry, callCarryUrgent:
		l.runTask(c.what.(Task), c.with)
	case callOpenDoor:
		l.openDoor()
	case callShutDoor:
		l.shutDoor()
	case callDrain:
		l.beginDrain(c.what.(*closing))
	case callStop:
		l.stopping = true
	default:
		if line := l.table.find(c.slot, c.generation); line != nil {
			l.doLine(line, c)
		}
	}
}

// doLine is do for one connection.
func (l *loop) doLine(line *line, c *call) {
	switch c.kind {
	case callHandedBack:
		l.handedBack(line, c.panicked)
	case callSend:
		l.at(line).SendPrepared(c.with.(*Prepared))
		l.departs(line)
	case callClose:
		how := c.what.(*closing)
		l.at(line).Close(how.code, how.reason)
		l.departs(line)
	case callDo:
		l.call(line, c.what.(func(*Turn)))
	case callWake:
		l.call(line, l.reactor.config.Handler.Woken)
	}
}

// call calls into the program in a turn of a line.
func (l *loop) call(c *line, f func(*Turn)) {
	if !c.lives() || c.broken || f == nil {
		return
	}
	defer l.recovered(c)
	f(l.at(c))
	l.departs(c)
}

// at makes the loop's turn that of a line.
func (l *loop) at(c *line) *Turn {
	l.turn.line = c
	return &l.turn
}

// guard calls into the program. A panic ends the connection, not the loop.
func (l *loop) guard(c *line, f func()) {
	defer l.recovered(c)
	f()
}

func (l *loop) recovered(c *line) {
	if cause := recover(); cause != nil {
		l.reactor.config.Logger.Error("handler panicked", "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
		if !c.isStream() {
			l.lend(c)
			c.endpoint.SendClose(frame.StatusUnexpected, "", l.now)
			l.flush(c)
		}
		l.doom(c, errPanic)
	}
}

var errPanic = errors.New("websocket/reactor: the handler panicked")

// doom makes a line end before the loop waits, since it may be in use right now.
func (l *loop) doom(c *line, err error) {
	if !c.broken {
		c.broken = true
		l.takeRun(c)
		l.doomed = append(l.doomed, doom{reference{c.slot, c.generation}, err})
	}
}

func (l *loop) endDoomed() {
	for i := 0; i < len(l.doomed); i++ { // ending one may doom another
		d := l.doomed[i]
		if c := l.table.find(d.slot, d.generation); c != nil {
			l.abandon(c, d.err)
		}
	}
	clear(l.doomed)
	l.doomed = l.doomed[:0]
}

// beginDrain closes all connections.
func (l *loop) beginDrain(c *closing) {
	l.draining = c
	l.table.each(func(line *line) {
		switch line.state {
		case greeting:
			l.doom(line, errShut)
		case open, streaming:
			l.at(line).Close(c.code, c.reason)
			l.departs(line)
		}
	})
}

// destroy ends everything. It is the last that happens to the loop.
func (l *loop) destroy() {
	l.stopping = true
	for _, c := range append(l.calls[l.called:], l.inbox.stop()...) {
		switch c.kind {
		case callAttach:
			closeDescriptor(c.what.(*arrival).fd)
			l.reactor.population.leave()
		case callOpenDoor:
			l.door = l.reactor.door.Load()
		}
	}
	l.shutDoor()
	l.table.each(func(c *line) { l.abandon(c, websocket.ErrClosed) })
	l.poller.close()
}
