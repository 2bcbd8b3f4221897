package node

import (
	"sync"

	"github.com/bellwire/bellwire/realtime"
)

// batchBytesMax is about how much one Write gets: enough to be cheap, and little enough that room comes back in steps.
const batchBytesMax = 128 << 10

// batches are reused: an idle connection keeps none.
var batches = sync.Pool{New: func() any { b := make([][]byte, 0, 16); return &b }}

// startFlush has somebody write: the carrier, or a goroutine.
func (c *Connection) startFlush() {
	if c.carried != nil {
		c.carried.Wake()
		return
	}
	c.node.group.Go("flush", c.flush, nil)
}

// Flush writes what there is until the line is blocked, then closes it when the session has ended. The carrier calls it
// after Wake, and when the line is no longer blocked.
func (c *Connection) Flush() {
	if !c.carried.Blocked() {
		c.flush()
	}
}

// flush writes until nothing is left, then closes the line when the session has ended.
func (c *Connection) flush() {
	batch := batches.Get().(*[][]byte)
	defer func() {
		clear((*batch)[:cap(*batch)])
		if cap(*batch) <= 1024 {
			batches.Put(batch)
		}
		if cause := recover(); cause != nil { // of the transport
			c.node.panicked("flush", cause)
			c.abandon(realtime.CodeServerError)
		}
	}()
	end := false
	for *batch, end = c.outgoing((*batch)[:0]); len(*batch) > 0; {
		err := c.transport.Write(*batch)
		c.node.countSent(*batch)
		blocked := c.carried != nil && c.carried.Blocked() // Flush is called again
		*batch, end = c.written(err, blocked, (*batch)[:0])
		if err != nil {
			c.transport.Close(realtime.CodeSlow, realtime.CodeSlow.Name())
		}
	}
	if end {
		c.closeLine()
	}
}

// outgoing takes what is to be written. With nothing, the flusher is over: the next one who queues starts another. end says
// that it has to close the line.
func (c *Connection) outgoing(batch [][]byte) (_ [][]byte, end bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.outgoingLocked(batch)
}

func (c *Connection) outgoingLocked(batch [][]byte) (_ [][]byte, end bool) {
	batch = c.core.Outgoing(batch, batchBytesMax)
	c.flushing = len(batch) > 0
	if c.flushing || c.closing {
		return batch, false
	}
	_, _, c.closing = c.core.Ended()
	return batch, c.closing
}

// written makes room, and goes on with what is to be written next. After an error the line is dead: nothing more is written to
// it.
func (c *Connection) written(err error, blocked bool, batch [][]byte) (_ [][]byte, end bool) {
	c.mu.Lock()
	defer c.unlock("written")
	c.core.Written()
	c.wakeLocked()
	switch {
	case err != nil:
		c.closing, c.flushing = true, false
		c.core.Abandon()
		return batch, false
	case blocked:
		return batch, false
	}
	return c.outgoingLocked(batch)
}

// closeLine closes it as the session's end says.
func (c *Connection) closeLine() {
	code, reason := c.verdict()
	c.transport.Close(code, reason)
}

func (c *Connection) verdict() (code realtime.Code, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	code, reason, _ = c.core.Ended()
	return code, reason
}
