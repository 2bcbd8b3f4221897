package websocket

import (
	"context"
	"errors"

	"github.com/bellwire/bellwire/websocket/endpoint"
	"github.com/bellwire/bellwire/websocket/frame"
)

// Turn is what a handler of [Conn.Serve] answers with. It is valid during the call and
// for its goroutine only; what may be kept is Conn.
type Turn struct {
	conn *Conn
	ctx  context.Context
}

// Serve calls handle for each message until the connection ends or handle returns
// an error, which Serve then returns. It reads like a loop around Read: the same errors, and
// when ctx ends the connection is as it was. The payload is valid until handle returns.
//
// What makes it quicker is the Turn. Messages often come several at a time, and
// what handle sends through the Turn leaves in one system call once all that came
// together have been handled, or when 64 KiB have gathered. A loop of Read and Write needs
// one for each message, since it cannot know that another Read will follow.
//
// A handler that is about to wait for something calls Turn.Flush first, or uses
// the methods of Conn: they send at once, after what has gathered.
//
// While Serve runs it is the only reader: Read and Reader fail, and Close returns as soon as
// the close frame is sent, since Serve waits for the peer's.
func (c *Conn) Serve(ctx context.Context, handle func(t *Turn, kind MessageType, payload []byte) error) error {
	if err := c.beginServe(ctx); err != nil {
		return err
	}
	defer c.endServe()
	t := &Turn{conn: c, ctx: ctx}
	for {
		kind, payload, err := c.nextServed(ctx)
		switch {
		case err != nil:
			return err
		case kind == 0:
			err = c.waitServed(ctx)
		default:
			err = handle(t, kind, payload)
		}
		if err != nil {
			t.Flush() // an error of it is kept as the end of the connection
			return err
		}
	}
}

// errServed is the answer to whoever reads beside Serve.
var errServed = errors.New("Serve reads this connection")

func (c *Conn) beginServe(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.beginReadLocked(ctx); err != nil {
		return err
	}
	c.dropReader()
	c.served = true
	return nil
}

func (c *Conn) endServe() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.served = false
	c.reading.giveBack()
}

// nextServed returns the next message; one of type 0 if none is there yet.
func (c *Conn) nextServed(ctx context.Context) (MessageType, []byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if opcode, payload := c.endpoint.Whole(); opcode != frame.Continuation {
		return MessageType(opcode), payload, nil
	}
	event := c.endpoint.Next(c.heard)
	for event.Kind != endpoint.Message {
		if event.Kind == endpoint.None {
			return 0, nil, nil
		}
		if event.Kind == endpoint.Inflating {
			var err error
			if event, err = c.inflateLocked(ctx, false); err != nil {
				return 0, nil, err
			}
			continue
		}
		if err := c.actLocked(ctx, &event); err != nil {
			return 0, nil, err
		}
		event = c.endpoint.NextWhole(c.heard)
	}
	return MessageType(event.Opcode), event.Payload, nil
}

// waitServed sends what has gathered and waits for more input. It is no part of
// nextServed, so that the stack of a goroutine that waits is small.
func (c *Conn) waitServed(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.flushGatheredLocked(ctx); err != nil {
		return err
	}
	return c.fillLocked(ctx)
}

// Conn returns the connection.
func (t *Turn) Conn() *Conn { return t.conn }

// Send sends a message together with others. The payload is copied, or written
// before Send returns. It waits only where Write would wait, or when much has gathered.
func (t *Turn) Send(kind MessageType, payload []byte) error {
	c := t.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.gatherLocked(t.ctx, len(payload)); err != nil {
		return err
	}
	if len(payload) > copyBytesMax && c.endpoint.CanSendHead(len(payload)) {
		return c.writeLargeLocked(t.ctx, kind, payload) // behind what has gathered
	}
	c.lendGatheringLocked()
	if err := c.endpoint.SendWhole(frame.Opcode(kind), payload); err != nil {
		return c.sendError(err)
	}
	return nil
}

// SendPrepared sends a prepared message together with others.
func (t *Turn) SendPrepared(message *PreparedMessage) error {
	c := t.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.gatherLocked(t.ctx, len(message.prepared.Frame())); err != nil {
		return err
	}
	c.lendGatheringLocked()
	if err := c.endpoint.SendPrepared(message.prepared); err != nil {
		return c.sendError(err)
	}
	return nil
}

// Flush sends what has gathered, and returns when the operating system has it.
func (t *Turn) Flush() error {
	c := t.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.flushGatheredLocked(t.ctx)
}

// flushGatheredLocked sends messages that were taken while ctx had not ended, so
// that its end must not cost the connection.
func (c *Conn) flushGatheredLocked(ctx context.Context) error {
	if ended(ctx) != nil {
		ctx = context.Background()
	}
	return c.flushLocked(ctx)
}

// gatherLocked waits until a message may be put in the output. What has gathered
// is sent first if there would be too much of it, or if there is something to wait for.
func (c *Conn) gatherLocked(ctx context.Context, payloadBytes int) error {
	gathered := c.endpoint.Pending()
	switch {
	case c.endErr != nil:
		return c.endErr
	case !c.writing.taken && (gathered == 0 || gathered+payloadBytes <= c.gatherBytesMax()):
		return nil
	}
	if err := c.flushGatheredLocked(ctx); err != nil {
		return err
	}
	return c.mayWriteLocked(ctx)
}

// lendGatheringLocked gives the endpoint a buffer that need not grow. The answers
// to a large read are large.
func (c *Conn) lendGatheringLocked() {
	if c.source.large() {
		c.lendFromLocked(&largeOutputs)
	} else {
		c.lendLocked()
	}
}

// gatherBytesMax returns how much output is gathered: of a large read all answers
// that are as long.
func (c *Conn) gatherBytesMax() int {
	if c.source.large() {
		return burstBytes
	}
	return pendingBytesMax
}
