package reactor

import (
	"errors"
	"net"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/endpoint"
	"github.com/bellwire/bellwire/websocket/frame"
)

// Turn is a connection while its loop is at it. It is valid during one call of a
// Handler and on its goroutine only; Conn gives what can be kept. All that is sent during a
// turn leaves together when it ends.
type Turn struct {
	loop *loop
	line *line
}

// Conn returns a handle of the connection that may be kept and used anywhere.
func (t *Turn) Conn() Conn {
	return Conn{loop: t.loop, slot: t.line.slot, generation: t.line.generation}
}

// Data returns what was given to Upgrade, Attach or SetData.
func (t *Turn) Data() any { return t.line.data }

// SetData keeps something with the connection until it has closed.
func (t *Turn) SetData(data any) { t.line.data = data }

// Subprotocol returns the subprotocol agreed, or "".
func (t *Turn) Subprotocol() string { return t.line.settings.subprotocol }

// RemoteAddr asks the system for the address of the peer; nil if it does not know.
func (t *Turn) RemoteAddr() net.Addr { return peerAddr(t.line.fd) }

// Send sends a message. The payload is copied.
func (t *Turn) Send(kind websocket.MessageType, payload []byte) error {
	if t.line.state != open {
		return websocket.ErrClosed
	}
	t.loop.lend(t.line)
	return sendError(t.line.endpoint.SendWhole(frame.Opcode(kind), payload))
}

// SendPrepared sends a prepared message.
func (t *Turn) SendPrepared(message *Prepared) error {
	if t.line.state != open {
		return websocket.ErrClosed
	}
	t.loop.lend(t.line)
	return sendError(t.line.endpoint.SendPrepared(message))
}

// Queued returns how many bytes wait for the peer. Drained tells when there are none.
func (t *Turn) Queued() int {
	n := t.line.endpoint.Pending()
	if q := t.line.backlog; q != nil {
		n += len(q.queue) - q.sent
	}
	return n
}

// Close starts the close handshake. Messages may come until the peer has answered
// it, at most for the close timeout; nothing more can be sent. A stream ends, and its peer hears of neither code nor reason.
func (t *Turn) Close(code websocket.StatusCode, reason string) error {
	if t.line.state == streaming {
		t.loop.endStream(t.line)
		return nil
	}
	if t.line.state != open {
		return websocket.ErrClosed
	}
	t.loop.lend(t.line)
	err := t.line.endpoint.SendClose(frame.Status(code), frame.CutReason(reason), t.loop.now)
	if err == nil {
		t.loop.schedule(t.line)
	}
	return sendError(err)
}

// CloseNow ends the connection without a handshake. What was sent in this turn may be lost.
func (t *Turn) CloseNow() {
	if t.line.lives() {
		t.loop.doom(t.line, websocket.ErrClosed)
	}
}

// HandOff runs a task, which may block, on a goroutine of its own. Tasks of one
// connection run one after the other, in the order of the calls. Until they are done nothing
// more of the connection is read; messages that were read already are still handed out, and
// should be handed off too if their order matters. In a task, Conn is what to use.
// It reports false for a connection that has ended: the task will not run. One that waits
// for others when its connection ends does not run either. Streams take no tasks.
func (t *Turn) HandOff(task func()) bool {
	if t.line.state != open || t.line.broken {
		return false
	}
	q := t.line.backlog
	if q == nil {
		q = new(backlog)
		t.line.backlog = q
	}
	if len(q.tasks) == handOffMax {
		t.loop.doom(t.line, ErrSlow)
		return false
	}
	q.tasks = append(q.tasks, task)
	if !q.running {
		t.loop.runTasks(t.line)
	}
	return true
}

// HandedOff reports whether tasks that were handed off run or wait.
func (t *Turn) HandedOff() bool {
	q := t.line.backlog
	return q != nil && (q.running || len(q.tasks) > 0)
}

// sendError says why an endpoint did not take a message.
func sendError(err error) error {
	if err != nil && errors.Is(err, endpoint.ErrNotOpen) {
		return websocket.ErrClosed
	}
	return err
}
