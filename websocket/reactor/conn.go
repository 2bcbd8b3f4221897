package reactor

import (
	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/endpoint"
	"github.com/bellwire/bellwire/websocket/frame"
)

// Conn is a connection, for use from any goroutine. It is a small value that may be
// kept, compared and used as a key of a map; it holds nothing, and stands for no other connection
// once its own has gone. Its methods hand something to the loop and wait for
// nothing: nil means that it was handed over, and not that the peer will get it.
// Inside a turn the methods of Turn do the same without the way round.
type Conn struct {
	loop       *loop
	slot       uint32
	generation uint32
}

// Prepare makes a message. It copies the payload.
func Prepare(kind websocket.MessageType, payload []byte) (*Prepared, error) {
	return endpoint.Prepare(frame.Opcode(kind), payload)
}

// Send sends a message. The payload is copied.
func (c Conn) Send(kind websocket.MessageType, payload []byte) error {
	message, err := Prepare(kind, payload)
	if err != nil {
		return err
	}
	return c.SendPrepared(message)
}

// SendPrepared sends a prepared message.
func (c Conn) SendPrepared(message *Prepared) error {
	return c.post(call{kind: callSend, with: message}, len(message.Frame()))
}

// Close starts the close handshake; Handler.Closed tells its end.
func (c Conn) Close(code websocket.StatusCode, reason string) error {
	return c.post(call{kind: callClose, what: &closing{code, reason}}, 0)
}

// Do calls f in a turn of the connection, unless it has gone.
func (c Conn) Do(f func(t *Turn)) error {
	return c.post(call{kind: callDo, what: f}, 0)
}

// Wake has Handler.Woken called in a turn of the connection, unless it has gone. It
// allocates nothing, and never fails for want of room: who wakes a connection again before it
// was looked at wastes room, so that one at a time is the caller's part.
func (c Conn) Wake() error {
	return c.post(call{kind: callWake}, 0)
}

func (c Conn) post(call call, bytes int) error {
	if c.loop == nil {
		return websocket.ErrClosed
	}
	call.slot, call.generation = c.slot, c.generation
	return c.loop.post(call, bytes)
}
