package transport

import (
	"sync"

	"github.com/bellwire/bellwire/realtime/hub"
	"github.com/bellwire/bellwire/realtime/node"
	"github.com/bellwire/bellwire/websocket/reactor"
)

// carriage is what all lines that a loop serves have in common.
type carriage struct {
	// Immutable before the loop has the line.
	transport  *WebSocket
	connection *node.Connection

	// Owned by the loop.
	slot    *Slot // nil: given back
	carrier *carrier

	mu sync.Mutex
	// Guarded by mu.
	conn   reactor.Conn // zero: not yet with a loop
	opened bool
	woken  bool    // before it was opened
	ending *ending // how it is to be closed as soon as it is open; nil: not
	closed bool
}

// Carrier implements session.Carried. The node asks once the line was opened.
func (c *carriage) Carrier() hub.Carrier { return c.carrier }

// Wake implements session.Carried.
func (c *carriage) Wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.opened {
		c.woken = true
		return
	}
	_ = c.conn.Wake() // fails for a line that has ended, which needs nothing any more
}

// Blocked implements session.Carried.
func (c *carriage) Blocked() bool { return c.carrier.loop.Blocked(c.conn) }

// Ready implements session.Carried.
func (c *carriage) Ready() bool { return c.carrier.loop.Ready(c.conn) }

// Pass implements session.Carried.
func (c *carriage) Pass(frame hub.Frame) { c.carrier.loop.Pass(c.conn, reactor.Frame(frame)) }

// close has hangUp end the line now, or begin when it opens. The first call counts.
func (c *carriage) close(end ending, hangUp func(conn reactor.Conn, end ending)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.closed = true
	if !c.opened {
		c.ending = &end
		return
	}
	hangUp(c.conn, end)
}

// open is called on the loop, before anything else of the line. It returns how the line is to be closed at once; nil: it is not.
func (c *carriage) open(t *reactor.Turn) *ending {
	c.carrier = c.transport.carrierOf(t.Conn())
	end, woken := c.began(t.Conn())
	c.connection.Opened()
	if woken {
		c.connection.Flush()
	}
	return end
}

func (c *carriage) began(conn reactor.Conn) (end *ending, woken bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn, c.opened = conn, true
	return c.ending, c.woken
}

func (c *carriage) releaseSlot() {
	if c.slot != nil {
		c.slot.Release()
		c.slot = nil
	}
}

// gone is called on the loop, last.
func (c *carriage) gone(err error) {
	c.releaseSlot()
	c.connection.Closed(causeOf(err))
}

// carrier is a loop of the reactor as the hub sees it.
type carrier struct {
	loop *reactor.Loop

	joined []byte // owned by the loop
}

var _ hub.Carrier = (*carrier)(nil)

// errand adapts what the hub carries to what a loop runs. It is as large as a pointer, so that it costs no memory.
type errand struct{ cohort *hub.Cohort }

func (e errand) Run(_ *reactor.Loop, with any) { e.cohort.Run(with) }

// Carry implements hub.Carrier.
func (c *carrier) Carry(task *hub.Cohort, with any, bytes int) bool {
	return c.loop.Carry(errand{task}, with, bytes) == nil
}

// CarryUrgent implements hub.Carrier.
func (c *carrier) CarryUrgent(task *hub.Cohort, with any) {
	_ = c.loop.CarryUrgent(errand{task}, with) // fails when the loop has ended, and all its lines with it
}

// Behind implements hub.Carrier.
func (c *carrier) Behind() <-chan struct{} { return c.loop.Behind() }

// Frame implements hub.Carrier.
func (c *carrier) Frame(framing hub.Framing, message []byte) hub.Frame {
	if framing == hub.FramingNone {
		return hub.Frame(c.loop.Raw(message))
	}
	return hub.Frame(c.loop.Frame(messageType(framing), message))
}

// trim gives back what an unusually large write has taken.
func (c *carrier) trim() {
	if cap(c.joined) > bufferBytesMax {
		c.joined = nil
	}
}

// carrierOf returns what stands for the loop of a connection.
func (t *WebSocket) carrierOf(conn reactor.Conn) *carrier {
	loop := conn.Loop()
	t.carriersMu.Lock()
	defer t.carriersMu.Unlock()
	c := t.carriers[loop]
	if c == nil {
		c = &carrier{loop: loop}
		t.carriers[loop] = c
	}
	return c
}
