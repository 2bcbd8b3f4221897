package transport

import (
	"errors"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/node"
	"github.com/bellwire/bellwire/realtime/session"
	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/reactor"
)

// carriedLine is one WebSocket that a loop of the reactor serves.
type carriedLine struct {
	carriage
	kind  websocket.MessageType // immutable
	ended bool                  // owned by the loop: the node takes no more, and what still comes is dropped
}

var _ session.Carried = (*carriedLine)(nil)

func (l *carriedLine) Name() string { return "websocket" }

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
	l.close(ending{code: websocket.StatusCode(code), reason: reason}, func(conn reactor.Conn, end ending) {
		_ = conn.Close(end.code, end.reason) // fails for a line that has ended
	})
}

// begin is called on the loop, before anything else of the line.
func (l *carriedLine) begin(t *reactor.Turn) {
	if end := l.open(t); end != nil {
		_ = t.Close(end.code, end.reason)
	}
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

// newReactor starts the loops. On systems that have none it returns nil: goroutines serve all lines then.
func (t *WebSocket) newReactor() (*reactor.Reactor, error) {
	flush := func(turn *reactor.Turn) { connectionOf(turn).Flush() }
	r, err := reactor.New(reactor.Config{
		Logger:        t.config.Logger,
		QueueBytesMax: lineQueueBytesMax,
		Handler: reactor.Handler{
			Open: func(turn *reactor.Turn) {
				switch l := turn.Data().(type) {
				case *admittance:
					turn.SetData(l.carried)
					l.carried.begin(turn)
				case *eventLine:
					l.begin(turn)
				}
			},
			Message: func(turn *reactor.Turn, kind websocket.MessageType, payload []byte) {
				turn.Data().(*carriedLine).receive(turn, kind, payload)
			},
			Woken:   flush,
			Drained: flush,
			Closed: func(turn *reactor.Turn, err error) {
				switch l := turn.Data().(type) {
				case *carriedLine:
					l.gone(err)
				case *eventLine:
					l.gone(err)
				}
			},
		},
	})
	if errors.Is(err, reactor.ErrTransport) {
		return nil, nil
	}
	return r, err
}

func connectionOf(turn *reactor.Turn) *node.Connection {
	if l, ok := turn.Data().(*carriedLine); ok {
		return l.connection
	}
	return turn.Data().(*eventLine).connection
}

// lineQueueBytesMax bounds what a line holds for its peer. The node gives it more only when it holds nothing, and no more
// than two frames and what was passed in one turn.
const lineQueueBytesMax = 8 << 20
