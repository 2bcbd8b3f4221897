package reactor

import (
	"fmt"
	"runtime/debug"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/frame"
)

// Loop is one of the goroutines that own connections, for programs that keep what they
// know of their connections by loop: a fan-out is then carried to each loop once, and
// walks what belongs to that loop, without a wake-up or a copy for each connection.
//
// Carry, CarryUrgent and Behind are for all goroutines; all other methods are for calls on the loop only,
// which are those of Handler and of Task.
type Loop struct{ own *loop }

// Task is what is carried to a loop.
type Task interface {
	// Run is called on the loop with what was given to Carry. It must not block.
	Run(l *Loop, with any)
}

// Frame is a message that a loop has written once for all connections that are
// passed it. It is valid until the Task that made it returns.
type Frame uint64

func newFrame(from, to uint32) Frame { return Frame(from)<<32 | Frame(to) }

func (f Frame) run() (from, to uint32) { return uint32(f >> 32), uint32(f) }

// Loop returns the loop that owns the connection.
func (c Conn) Loop() *Loop { return c.loop.handle }

// Carry has a task run on the loop, after everything that was carried to it before. bytes is
// about what it holds in memory until then. It waits for nothing. With ErrBusy the loop
// is too far behind, and the task will not run.
func (l *Loop) Carry(task Task, with any, bytes int) error {
	return l.own.post(call{kind: callCarry, what: task, with: with}, bytes)
}

// CarryUrgent is Carry for what must not be lost and is bounded otherwise: there is always room.
func (l *Loop) CarryUrgent(task Task, with any) error {
	return l.own.post(call{kind: callCarryUrgent, what: task, with: with}, 0)
}

// Behind returns nil as long as little waits for the loop. Otherwise it returns a channel that
// is closed when the loop has caught up: who makes work for it can wait for that, so that
// less comes and not too much. Any goroutine may call it; none of the loop's own may wait.
func (l *Loop) Behind() <-chan struct{} { return l.own.inbox.waitFor(behindCalls) }

// Frame makes a message for connections of this loop.
func (l *Loop) Frame(kind websocket.MessageType, payload []byte) Frame {
	own := l.own
	from := uint32(len(own.palette))
	own.palette = frame.Append(own.palette, frame.Header{Fin: true, Opcode: frame.Opcode(kind), Length: uint64(len(payload))})
	own.palette = append(own.palette, payload...)
	return newFrame(from, uint32(len(own.palette)))
}

// Ready reports whether a connection takes more at once: nothing waits for its peer,
// and not too much has been passed to it in this turn.
func (l *Loop) Ready(c Conn) bool {
	own := l.own
	line := own.table.find(c.slot, c.generation)
	return line != nil && line.lives() && !line.broken && !line.blocked() && own.departing(line).bytes() < readPauseBytes
}

// Blocked reports whether output of a connection waits for its peer. Handler.Drained
// tells when there is none any more.
func (l *Loop) Blocked(c Conn) bool {
	line := l.own.table.find(c.slot, c.generation)
	return line != nil && line.blocked()
}

func (c *line) blocked() bool { return c.backlog != nil && len(c.backlog.queue) > 0 }

// Pass sends a frame of the present task to a connection: with everything else that
// it is passed before the loop waits, in one system call.
func (l *Loop) Pass(c Conn, f Frame) {
	own := l.own
	line := own.table.find(c.slot, c.generation)
	if line == nil || own.mark(line, f) || line.state != open || line.broken {
		return
	}
	from, to := f.run()
	whole := own.palette[from:to]
	head := frame.HeaderBytes(whole[1])
	own.lend(line)
	line.endpoint.SendWhole(frame.Opcode(whole[0]&0x0f), whole[head:])
	own.departs(line)
}

// Send sends a message to a connection, with the rest of what leaves in this turn.
func (l *Loop) Send(c Conn, kind websocket.MessageType, payload []byte) error {
	line := l.own.table.find(c.slot, c.generation)
	if line == nil || line.state != open {
		return websocket.ErrClosed
	}
	l.own.lend(line)
	l.own.departs(line)
	return sendError(line.endpoint.SendWhole(frame.Opcode(kind), payload))
}

// Flush gives all that was sent and passed to a connection to the system now.
func (l *Loop) Flush(c Conn) {
	if line := l.own.table.find(c.slot, c.generation); line != nil && !line.broken {
		l.own.flush(line)
	}
}

// runTask calls into the program. A panic ends the task, not the loop.
func (l *loop) runTask(task Task, with any) {
	defer func() {
		if cause := recover(); cause != nil {
			l.reactor.config.Logger.Error("task panicked", "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
		}
	}()
	task.Run(l.handle, with)
}
