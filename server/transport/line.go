package transport

import (
	"context"
	"errors"
	"sync"

	"github.com/bellwire/bellwire/internal/safego"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/session"
	"github.com/bellwire/bellwire/websocket"
)

// line is one WebSocket as the node writes to it.
type line struct {
	// Immutable after newLine.
	kind          websocket.MessageType
	frameBytesMax int
	slot          *Slot
	group         *safego.Group
	opened        chan struct{} // closed when conn or failed is set

	mu sync.Mutex
	// Guarded by mu; conn and failed do not change once opened is closed.
	conn   *websocket.Conn
	failed error
	ending *ending // how it is to be closed as soon as it is open; nil: not
	closed bool
}

type ending struct {
	code   websocket.StatusCode
	reason string
}

var _ session.Transport = (*line)(nil)

var errNeverOpened = errors.New("the handshake did not succeed")

func (l *line) Name() string { return "websocket" }

// open gives the line its connection once the handshake is done: the node may have written or closed before.
func (l *line) open(conn *websocket.Conn) {
	l.mu.Lock()
	l.conn = conn
	ending := l.ending
	l.mu.Unlock()
	close(l.opened)
	if ending != nil {
		l.hangUp(conn, *ending)
	}
}

// fail says that there will be no connection.
func (l *line) fail() {
	l.mu.Lock()
	l.failed = errNeverOpened
	l.mu.Unlock()
	close(l.opened)
}

// Write joins the messages to WebSocket messages of at most frameBytesMax, or of one message that is larger. The first
// write is the answer to connect, so that the line no longer counts as one that has proved nothing.
func (l *line) Write(messages [][]byte) error {
	<-l.opened
	if l.failed != nil {
		return l.failed
	}
	defer l.slot.Release()
	for len(messages) > 0 {
		count := fitting(messages, l.frameBytesMax)
		if err := l.send(messages[:count]); err != nil {
			return err
		}
		messages = messages[count:]
	}
	return nil
}

// fitting is how many of the messages go into one frame; at least one.
func fitting(messages [][]byte, frameBytesMax int) int {
	size := len(messages[0])
	for i, message := range messages[1:] {
		if size += len(message); size > frameBytesMax {
			return i + 1
		}
	}
	return len(messages)
}

func (l *line) send(messages [][]byte) error {
	if len(messages) == 1 {
		return l.conn.Write(context.Background(), l.kind, messages[0])
	}
	buffer := takeBuffer()
	defer giveBuffer(buffer)
	for _, message := range messages {
		*buffer = append(*buffer, message...)
	}
	return l.conn.Write(context.Background(), l.kind, *buffer)
}

// Close ends the line with a code. To send the close frame takes its time on a goroutine of its own; what was written before
// goes out first. Whoever reads the line waits for the peer's, and then lets go of it.
func (l *line) Close(code realtime.Code, reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.closed = true
	end := ending{code: websocket.StatusCode(code), reason: reason}
	if l.conn == nil {
		l.ending = &end
		return
	}
	l.hangUp(l.conn, end)
}

func (l *line) hangUp(conn *websocket.Conn, end ending) {
	l.group.Go("websocket close", func() { _ = conn.Close(end.code, end.reason) }, nil)
}
