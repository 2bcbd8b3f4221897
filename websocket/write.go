package websocket

import (
	"context"
	"errors"

	"github.com/bellwire/bellwire/websocket/endpoint"
	"github.com/bellwire/bellwire/websocket/frame"
)

// copyBytesMax is the size up to which a payload is copied behind its header; a
// larger one goes out from where it lies.
const copyBytesMax = 8 << 10

// Write sends one message and returns when the operating system has taken it.
//
// A message whose turn has not come when ctx ends is not sent. When ctx ends
// while bytes are on their way, or the peer takes none for the write timeout,
// the connection is over, since half a message cannot be taken back.
func (c *Conn) Write(ctx context.Context, t MessageType, payload []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.mayWriteLocked(ctx); err != nil {
		return err
	}
	if len(payload) > copyBytesMax && c.endpoint.CanSendHead(len(payload)) {
		return c.writeLargeLocked(ctx, t, payload)
	}
	c.lendLocked()
	return c.sentLocked(ctx, c.endpoint.SendWhole(frame.Opcode(t), payload))
}

// writeLargeLocked sends a header from the endpoint and the payload from where
// it lies. It needs the turn to flush, since nothing may come between the two.
func (c *Conn) writeLargeLocked(ctx context.Context, t MessageType, payload []byte) error {
	// Nothing is waited for with the turn in hand: whoever is waited for may need it.
	for c.flushing.taken {
		if err := c.awaitLocked(ctx, &c.flushing); err != nil {
			return err
		}
		if err := c.mayWriteLocked(ctx); err != nil {
			return err
		}
	}
	c.flushing.taken = true
	defer c.flushing.giveBack()
	c.lendLocked()
	if err := c.endpoint.SendHead(frame.Opcode(t), payload); err != nil {
		return c.sendError(err)
	}
	return c.writeOutLocked(ctx, payload)
}

// WriteBatch sends several messages in one system call. Each is bound by the
// rules of Write; after an error those before the faulty one are sent.
func (c *Conn) WriteBatch(ctx context.Context, t MessageType, payloads ...[]byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.mayWriteLocked(ctx); err != nil {
		return err
	}
	c.lendLocked()
	for _, payload := range payloads {
		if err := c.endpoint.Send(frame.Opcode(t), payload); err != nil {
			return errors.Join(c.sendError(err), c.flushLocked(ctx))
		}
	}
	return c.flushLocked(ctx)
}

// WritePrepared sends prepared messages in one system call.
func (c *Conn) WritePrepared(ctx context.Context, messages ...*PreparedMessage) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.mayWriteLocked(ctx); err != nil {
		return err
	}
	c.lendLocked()
	for _, message := range messages {
		if err := c.endpoint.SendPrepared(message.prepared); err != nil {
			return errors.Join(c.sendError(err), c.flushLocked(ctx))
		}
	}
	return c.flushLocked(ctx)
}

// PreparedMessage is a message encoded once and sent to many connections. It is
// safe for concurrent use.
type PreparedMessage struct{ prepared *endpoint.Prepared }

// NewPreparedMessage makes a message. It keeps nothing of payload.
func NewPreparedMessage(t MessageType, payload []byte) (*PreparedMessage, error) {
	prepared, err := endpoint.Prepare(frame.Opcode(t), payload)
	if err != nil {
		return nil, &usageError{err}
	}
	return &PreparedMessage{prepared}, nil
}

// mayWriteLocked waits until a message may be put in the output: no other is
// being sent in parts, and not too much is waiting.
func (c *Conn) mayWriteLocked(ctx context.Context) error {
	for {
		if err := ended(ctx); err != nil {
			return err
		}
		var wait *baton
		switch {
		case c.endErr != nil:
			return c.endErr
		case c.writing.taken:
			wait = &c.writing
		case c.flushing.taken && c.endpoint.Pending() > pendingBytesMax:
			wait = &c.flushing
		default:
			return nil
		}
		if err := c.awaitLocked(ctx, wait); err != nil {
			return err
		}
	}
}

// sentLocked sends what an endpoint has taken, or says why it did not.
func (c *Conn) sentLocked(ctx context.Context, err error) error {
	if err != nil {
		c.unlendLocked()
		return c.sendError(err)
	}
	return c.flushLocked(ctx)
}

// sendError says why the endpoint did not take a message.
func (c *Conn) sendError(err error) error {
	if errors.Is(err, endpoint.ErrNotOpen) {
		return ErrClosed
	}
	return &usageError{err}
}
