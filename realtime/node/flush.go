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
	for {
		*batch = c.outgoing((*batch)[:0])
		if len(*batch) == 0 {
			if code, reason, ok := c.closeNow(); ok {
				c.transport.Close(code, reason)
			}
			return
		}
		err := c.transport.Write(*batch)
		c.node.countSent(*batch)
		if c.written(err); err != nil {
			c.transport.Close(realtime.CodeSlow, realtime.CodeSlow.Name())
			return
		}
		if c.carried != nil && c.carried.Blocked() {
			return // Flush is called again
		}
	}
}

// outgoing takes what is to be written. With nothing, the flusher is over: the next one who queues starts another.
func (c *Connection) outgoing(batch [][]byte) [][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	batch = c.core.Outgoing(batch, batchBytesMax)
	c.flushing = len(batch) > 0
	return batch
}

// closeNow reports whether it is this caller who has to close the line.
func (c *Connection) closeNow() (code realtime.Code, reason string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	code, reason, ok = c.core.Ended()
	if !ok || c.closing {
		return 0, "", false
	}
	c.closing = true
	return code, reason, true
}

// written makes room. After an error the line is dead: nothing more is written to it.
func (c *Connection) written(err error) {
	c.mu.Lock()
	defer c.unlock("written")
	c.core.Written()
	c.wakeLocked()
	if err != nil {
		c.closing, c.flushing = true, false
		c.core.Abandon()
	}
}
