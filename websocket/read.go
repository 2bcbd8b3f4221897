package websocket

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"time"

	"github.com/bellwire/bellwire/websocket/endpoint"
)

// Read returns the next message, in memory that is the caller's own.
//
// When ctx ends first, Read returns its error and the connection is as it was:
// what has come of a message is kept, and the next Read goes on with it. Any
// other error is the end of the connection; CloseStatus says how it ended.
func (c *Conn) Read(ctx context.Context) (MessageType, []byte, error) {
	return c.ReadInto(ctx, nil)
}

// ReadInto is Read into buf[:0], which grows as needed: with the result given
// back as buf, a loop reads without allocating.
func (c *Conn) ReadInto(ctx context.Context, buf []byte) (MessageType, []byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.beginReadLocked(ctx); err != nil {
		return 0, nil, err
	}
	defer c.reading.giveBack()
	c.dropReader()
	event, err := c.nextLocked(ctx, false)
	if err != nil {
		return 0, nil, err
	}
	if buf == nil {
		buf = make([]byte, 0, len(event.Payload))
	}
	return MessageType(event.Opcode), append(buf[:0], event.Payload...), nil
}

// Reader returns the next message as a stream, of which no more is held in
// memory than has just come (a compressed message is inflated whole). Its Read
// returns io.EOF at the end of the message, and is bound by ctx like that of a Conn.
// The next Reader or Read skips what was not read.
func (c *Conn) Reader(ctx context.Context) (MessageType, io.Reader, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.beginReadLocked(ctx); err != nil {
		return 0, nil, err
	}
	defer c.reading.giveBack()
	c.dropReader()
	for {
		event, err := c.nextLocked(ctx, true)
		if err != nil {
			return 0, nil, err
		}
		if event.First {
			c.reader = &messageReader{conn: c, ctx: ctx, rest: event.Payload, ended: event.Final}
			return MessageType(event.Opcode), c.reader, nil
		}
	}
}

// messageReader is the stream of one message.
type messageReader struct {
	conn *Conn
	ctx  context.Context

	// Owned by the goroutine that holds the turn to read.
	rest  []byte // of the current part
	ended bool   // the last part is the current one
}

// Read implements io.Reader.
func (r *messageReader) Read(p []byte) (int, error) {
	c := r.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.beginReadLocked(r.ctx); err != nil {
		return 0, err
	}
	defer c.reading.giveBack()
	if c.reader != r {
		return 0, io.ErrClosedPipe
	}
	for len(r.rest) == 0 {
		if r.ended {
			return 0, io.EOF
		}
		event, err := c.nextLocked(r.ctx, true)
		if err != nil {
			return 0, err
		}
		r.rest, r.ended = event.Payload, event.Final
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// dropReader makes the reader of an earlier message invalid.
func (c *Conn) dropReader() { c.reader = nil }

// beginReadLocked takes the turn to read.
func (c *Conn) beginReadLocked(ctx context.Context) error {
	if c.served {
		return &usageError{errServed}
	}
	if err := c.takeLocked(ctx, &c.reading); err != nil {
		return err
	}
	if c.endErr != nil {
		c.reading.giveBack()
		return c.endErr
	}
	return nil
}

// nextLocked returns the next message, or part of one, and acts on everything
// else that the peer does. The caller has the turn to read.
func (c *Conn) nextLocked(ctx context.Context, parts bool) (endpoint.Event, error) {
	for {
		event := c.endpointNextLocked(parts)
		if event.Kind == endpoint.Inflating {
			var err error
			if event, err = c.inflateLocked(ctx, parts); err != nil {
				return event, err
			}
		}
		if event.Kind == endpoint.Message || event.Kind == endpoint.Part {
			c.flushControlLocked()
			return event, nil
		}
		if err := c.actLocked(ctx, &event); err != nil {
			return event, err
		}
	}
}

func (c *Conn) endpointNextLocked(parts bool) endpoint.Event {
	if parts {
		return c.endpoint.NextPart(c.heard)
	}
	return c.endpoint.NextWhole(c.heard)
}

// actLocked acts on what is no message. The caller has the turn to read.
func (c *Conn) actLocked(ctx context.Context, event *endpoint.Event) error {
	switch event.Kind {
	case endpoint.None:
		c.flushControlLocked()
		return c.fillLocked(ctx)
	case endpoint.Ping: // answered with those that follow
	case endpoint.Pong:
		c.receivePongLocked(event.Payload)
	case endpoint.Closed:
		c.flushLastLocked()
		return c.finishLocked(event)
	}
	return nil
}

// fillLocked waits for bytes and gives them to the endpoint. It fails only when
// the context ends; what happens to the line becomes an event.
func (c *Conn) fillLocked(ctx context.Context) error {
	if err := ended(ctx); err != nil {
		return err
	}
	c.source.renew()
	c.armReadLocked()
	c.watchLocked(&c.readWatch, ctx)
	c.mu.Unlock()
	input, err := c.source.read(c.line)
	c.mu.Lock()
	c.readWatch.rest()
	c.heard = instant()
	if len(input) > 0 {
		c.endpoint.Receive(input, c.heard)
	} else if err != nil {
		c.readFailedLocked(err)
	}
	return nil
}

// readFailedLocked tells the endpoint that a deadline has passed, or that the line has ended.
func (c *Conn) readFailedLocked(err error) {
	if isTimeout(err) {
		c.readArmed = 0
		c.endpoint.Tick(c.heard)
		return
	}
	c.lineErr = errors.Join(c.lineErr, err)
	c.endpoint.ReceiveEOF()
}

// isTimeout tells a deadline that has passed from the end of the line.
func isTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// armReadLocked sets the deadline of the read that follows. One that was set earlier
// and comes too soon is left in place: waking once an interval costs less than a
// timer for each message.
func (c *Conn) armReadLocked() {
	due, ok := c.endpoint.Deadline()
	if ok && (c.readArmed == 0 || c.readArmed > due) {
		c.readArmed = max(due, 1)
		c.line.SetReadDeadline(epoch.Add(due))
	}
	if !ok && c.readArmed == 0 {
		c.readArmed = 1 << 62
		c.line.SetReadDeadline(time.Time{})
	}
}
