package transport

import (
	"errors"
	"sync"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/hub"
	"github.com/bellwire/bellwire/realtime/node"
	"github.com/bellwire/bellwire/realtime/session"
	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/reactor"
)

// carriedLine is one WebSocket that a loop of the reactor serves.
type carriedLine struct {
	// Immutable before the loop has it.
	transport  *WebSocket
	kind       websocket.MessageType
	connection *node.Connection

	// Owned by the loop.
	slot    *Slot // nil: given back
	carrier *carrier
	ended   bool // the node takes no more: what still comes is dropped

	mu sync.Mutex
	// Guarded by mu.
	conn   reactor.Conn // zero: not yet with a loop
	opened bool
	woken  bool    // before it was opened
	ending *ending // how it is to be closed as soon as it is open; nil: not
	closed bool
}

var _ session.Carried = (*carriedLine)(nil)

func (l *carriedLine) Name() string { return "websocket" }

// Carrier implements session.Carried. The node asks once the line was opened.
func (l *carriedLine) Carrier() hub.Carrier { return l.carrier }

// Wake implements session.Carried.
func (l *carriedLine) Wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.opened {
		l.woken = true
		return
	}
	_ = l.conn.Wake() // fails for a line that has ended, which needs nothing any more
}

// Blocked implements session.Carried.
func (l *carriedLine) Blocked() bool { return l.carrier.loop.Blocked(l.conn) }

// Ready implements session.Carried.
func (l *carriedLine) Ready() bool { return l.carrier.loop.Ready(l.conn) }

// Pass implements session.Carried.
func (l *carriedLine) Pass(frame hub.Frame) { l.carrier.loop.Pass(l.conn, reactor.Frame(frame)) }

// Write implements session.Transport. The first write is the answer to connect, so that the line no longer counts as one that
// has proved nothing.
func (l *carriedLine) Write(messages [][]byte) error {
	l.releaseSlot()
	c := l.carrier
	for len(messages) > 0 {
		count := fitting(messages, l.transport.config.FrameBytesMax)
		message := messages[0]
		if count > 1 {
			c.joined = c.joined[:0]
			for _, m := range messages[:count] {
				c.joined = append(c.joined, m...)
			}
			message = c.joined
		}
		if err := c.loop.Send(l.conn, l.kind, message); err != nil {
			return err
		}
		messages = messages[count:]
	}
	c.trim()
	c.loop.Flush(l.conn)
	return nil
}

// Close implements session.Transport. It may come before the line is open.
func (l *carriedLine) Close(code realtime.Code, reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.closed = true
	if !l.opened {
		l.ending = &ending{code: websocket.StatusCode(code), reason: reason}
		return
	}
	_ = l.conn.Close(websocket.StatusCode(code), reason) // fails for a line that has ended
}

func (l *carriedLine) releaseSlot() {
	if l.slot != nil {
		l.slot.Release()
		l.slot = nil
	}
}

// open is called on the loop, before anything else of the line.
func (l *carriedLine) open(t *reactor.Turn) {
	l.carrier = l.transport.carrierOf(t.Conn())
	end, woken := l.began(t.Conn())
	l.connection.Opened()
	if woken {
		l.connection.Flush()
	}
	if end != nil {
		_ = t.Close(end.code, end.reason)
	}
}

func (l *carriedLine) began(conn reactor.Conn) (end *ending, woken bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn, l.opened = conn, true
	return l.ending, l.woken
}

// receive hands a message to the node, on the loop as long as nothing has to be waited for.
func (l *carriedLine) receive(t *reactor.Turn, kind websocket.MessageType, payload []byte) {
	if l.ended {
		return
	}
	l.transport.config.Metrics.Received(len(payload))
	binary := kind == websocket.BinaryMessage
	if t.HandedOff() { // something before it is still being waited for
		message := append([]byte(nil), payload...)
		t.HandOff(func() { l.received(l.connection.Receive(message, binary)) })
		return
	}
	rest, err := l.connection.TryReceive(payload, binary)
	if rest != nil {
		l.handOff(t, func() { l.received(rest()) })
	}
	l.ended = err != nil
}

// handOff runs what is left of a message, which has to run also when the line has just gone.
func (l *carriedLine) handOff(t *reactor.Turn, task func()) {
	if !t.HandOff(task) {
		l.transport.group.Go("rest of a message", task, nil)
	}
}

// received is told on another goroutine how handing over a message ended.
func (l *carriedLine) received(err error) {
	if err != nil {
		_ = l.conn.Do(func(*reactor.Turn) { l.ended = true })
	}
}

// gone is called on the loop, last.
func (l *carriedLine) gone(err error) {
	l.releaseSlot()
	l.connection.Closed(causeOf(err))
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
	return hub.Frame(c.loop.Frame(messageType(framing == hub.FramingBinary), message))
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

// newReactor starts the loops. On systems that have none it returns nil: goroutines serve all lines then.
func (t *WebSocket) newReactor() (*reactor.Reactor, error) {
	r, err := reactor.New(reactor.Config{
		Logger:        t.config.Logger,
		QueueBytesMax: lineQueueBytesMax,
		Handler: reactor.Handler{
			Open: func(turn *reactor.Turn) {
				l := turn.Data().(*admittance).carried
				turn.SetData(l)
				l.open(turn)
			},
			Message: func(turn *reactor.Turn, kind websocket.MessageType, payload []byte) {
				turn.Data().(*carriedLine).receive(turn, kind, payload)
			},
			Woken:   func(turn *reactor.Turn) { turn.Data().(*carriedLine).connection.Flush() },
			Drained: func(turn *reactor.Turn) { turn.Data().(*carriedLine).connection.Flush() },
			Closed:  func(turn *reactor.Turn, err error) { turn.Data().(*carriedLine).gone(err) },
		},
	})
	if errors.Is(err, reactor.ErrTransport) {
		return nil, nil
	}
	return r, err
}

// lineQueueBytesMax bounds what a line holds for its peer. The node gives it more only when it holds nothing, and no more
// than two frames and what was passed in one turn.
const lineQueueBytesMax = 8 << 20
