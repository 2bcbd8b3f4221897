package websocket

import (
	"cmp"
	"context"
	"net"
	"sync"
	"time"
)

const (
	// pendingBytesMax is how much output may wait for its turn before further
	// writers wait first.
	pendingBytesMax = 64 << 10

	// writeBytesMax is how much is given to the line at once, so that a slow peer
	// is judged by its progress and not by the size of a message; unseenBytesMax the same where
	// the line does not say what the peer has taken.
	writeBytesMax  = 256 << 10
	unseenBytesMax = pendingBytesMax

	// outputBytes is the size of the buffers lent to endpoints; those that have
	// grown beyond outputBytesMax are left to the garbage collector.
	outputBytes    = 2 << 10
	outputBytesMax = 64 << 10
)

// outputs holds buffers for what endpoints put out, largeOutputs those for what
// answers a large read.
var (
	outputs      = sync.Pool{New: func() any { return newOutput(outputBytes) }}
	largeOutputs = sync.Pool{New: func() any { return newOutput(burstBytes) }}
)

// output is a buffer for what an endpoint puts out, and what writing it takes.
type output struct {
	bytes   []byte
	sending sending
}

func newOutput(size int) *output {
	o := &output{bytes: make([]byte, 0, size)}
	o.sending.init()
	return o
}

// lendLocked gives the endpoint a buffer if it has none.
func (c *Conn) lendLocked() { c.lendFromLocked(&outputs) }

func (c *Conn) lendFromLocked(pool *sync.Pool) {
	if c.output == nil {
		c.output = pool.Get().(*output)
		c.endpoint.Lend(c.output.bytes)
	}
}

// unlendLocked takes an unused buffer back.
func (c *Conn) unlendLocked() {
	if c.output != nil && c.endpoint.Pending() == 0 {
		recycle(c.output, c.endpoint.Output())
		c.output = nil
	}
}

// flushLocked returns when all that is in the output now has been written,
// by this goroutine or by another that took it along.
func (c *Conn) flushLocked(ctx context.Context) error {
	if c.endpoint.Pending() == 0 {
		c.unlendLocked()
		return nil
	}
	for mine := c.taken + 1; c.written < mine; {
		if c.endErr != nil {
			return c.endErr
		}
		if c.flushing.taken {
			if err := c.awaitLocked(ctx, &c.flushing); err != nil {
				return c.breakLocked(err)
			}
			continue
		}
		c.flushing.taken = true
		err := c.writeOutLocked(ctx, nil)
		c.flushing.giveBack()
		if err != nil {
			return err
		}
	}
	return nil
}

// flushControlLocked writes pongs and close frames, unless somebody is writing, who
// then takes them along.
func (c *Conn) flushControlLocked() {
	if c.endpoint.Pending() > 0 && !c.flushing.taken && c.endErr == nil {
		c.flushLocked(context.Background()) // an error is kept as the end of the connection
	}
}

// flushLastLocked writes what the endpoint has put out at its end.
func (c *Conn) flushLastLocked() {
	ctx, cancel := context.WithTimeout(context.Background(), c.closeTimeout)
	defer cancel()
	if c.endErr == nil {
		c.flushLocked(ctx)
	}
	// The close frame may be on its way by another goroutine: to end the line now would cut it off.
	for c.flushing.taken && c.endErr == nil {
		if c.awaitLocked(ctx, &c.flushing) != nil {
			return
		}
	}
}

// writeOutLocked takes the output and writes it, and then payload. The caller
// has the turn to flush. What control frames come meanwhile are written too.
func (c *Conn) writeOutLocked(ctx context.Context, payload []byte) error {
	for {
		c.lendLocked() // pongs may be all there is
		out, lent := c.endpoint.Output(), c.output
		c.output = nil
		c.taken++
		c.mu.Unlock()
		err := c.writeLine(ctx, &lent.sending, out, payload)
		recycle(lent, out)
		c.mu.Lock()
		c.writeWatch.rest()
		c.patience.restLocked()
		c.written = c.taken
		if err != nil {
			return c.writeFailedLocked(ctx, err)
		}
		if c.flushing.waiting != nil || c.endpoint.Pending() == 0 {
			return nil
		}
		payload = nil
	}
}

// writeFailedLocked ends the connection. The end of the context is the reason
// where there was one.
func (c *Conn) writeFailedLocked(ctx context.Context, err error) error {
	return c.breakLocked(cmp.Or(ended(ctx), err))
}

// recycle keeps a buffer that was lent to an endpoint for the next one.
func recycle(lent *output, out []byte) {
	poison(out[:cap(out)])
	lent.bytes = out[:0]
	switch size := cap(out); {
	case size == burstBytes:
		largeOutputs.Put(lent)
	case outputBytes <= size && size <= outputBytesMax:
		outputs.Put(lent)
	}
}

// writeLine writes head and payload. Nearly always a socket takes all there is at
// once, and then neither a deadline nor the context is needed.
func (c *Conn) writeLine(ctx context.Context, sending *sending, head, payload []byte) error {
	if len(payload) == 0 {
		n, err := c.source.socket.send(sending, c.line, head[:min(len(head), writeBytesMax)])
		if err != nil || n == len(head) {
			return err
		}
		head = head[n:]
	}
	return c.writeWaiting(ctx, head, payload)
}

// writeWaiting writes head and payload to a line that may take its time, in as
// few system calls as progress allows.
func (c *Conn) writeWaiting(ctx context.Context, head, payload []byte) error {
	c.mu.Lock()
	c.waitLocked()
	piece := c.patience.piece()
	c.armWriteLocked()
	c.watchLocked(&c.writeWatch, ctx)
	c.mu.Unlock()
	if err := ended(ctx); err != nil {
		return err
	}
	if len(payload) == 0 {
		return c.writePieces(ctx, piece, head)
	}
	first := payload[:min(len(payload), piece)]
	gathered := net.Buffers{head, first}
	if _, err := gathered.WriteTo(c.line); err != nil {
		return err
	}
	return c.writePieces(ctx, piece, payload[len(first):])
}

func (c *Conn) writePieces(ctx context.Context, piece int, b []byte) error {
	for len(b) > 0 {
		n := min(len(b), piece)
		if _, err := c.line.Write(b[:n]); err != nil {
			return err
		}
		if b = b[n:]; len(b) > 0 {
			c.mu.Lock()
			c.armWriteLocked()
			c.mu.Unlock()
			if err := ended(ctx); err != nil { // whose interruption may just have been undone
				return err
			}
		}
	}
	return nil
}

// armWriteLocked sets the deadline by which the peer must have taken the bytes
// that follow. It is set a quarter later than asked for, so that it need not
// be set for each message.
func (c *Conn) armWriteLocked() {
	now := instant()
	if c.writeTimeout == 0 {
		if c.writeArmed == 0 {
			c.writeArmed = now
			c.line.SetWriteDeadline(time.Time{})
		}
		return
	}
	if c.writeArmed == 0 || c.writeArmed < now+c.writeTimeout {
		c.writeArmed = now + c.writeTimeout + c.writeTimeout/4
		c.line.SetWriteDeadline(epoch.Add(c.writeArmed))
	}
}
