package websocket

import (
	"context"
	"encoding/binary"
	"slices"
)

// pings are those that somebody waits for.
type pings struct {
	waiting []pingWaiter
	newest  uint64
	over    chan struct{} // closed at the end of the connection, for who waits for anything else; nil: nobody does
}

// overLocked returns what is closed when a connection ends that has not yet.
func (c *Conn) overLocked() <-chan struct{} {
	if c.pings == nil {
		c.pings = new(pings)
	}
	if c.pings.over == nil {
		c.pings.over = make(chan struct{})
	}
	return c.pings.over
}

// abandon wakes all who wait.
func (p *pings) abandon() {
	if p == nil {
		return
	}
	for _, w := range p.waiting {
		close(w.answered)
	}
	p.waiting = nil
	if p.over != nil {
		close(p.over)
		p.over = nil
	}
}

// pingWaiter waits for the pong to one ping.
type pingWaiter struct {
	id       uint64
	answered chan struct{} // closed when the pong has come, or the connection is over
}

// Ping sends a ping and waits for its pong. It needs another goroutine that reads
// meanwhile. Keep-alive needs no Ping: the connection does it by itself.
func (c *Conn) Ping(ctx context.Context) error {
	waiter, err := c.sendPing(ctx)
	if err != nil {
		return err
	}
	select {
	case <-waiter.answered:
	case <-ctx.Done():
		c.forgetPing(waiter.id)
		return context.Cause(ctx)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.endErr
}

func (c *Conn) sendPing(ctx context.Context) (pingWaiter, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := context.Cause(ctx); err != nil {
		return pingWaiter{}, err
	}
	if c.endErr != nil {
		return pingWaiter{}, c.endErr
	}
	if c.pings == nil {
		c.pings = new(pings)
	}
	c.pings.newest++
	waiter := pingWaiter{id: c.pings.newest, answered: make(chan struct{})}
	c.lendLocked()
	if err := c.endpoint.SendPing(binary.BigEndian.AppendUint64(nil, waiter.id)); err != nil {
		return pingWaiter{}, c.sendError(err)
	}
	c.pings.waiting = append(c.pings.waiting, waiter)
	return waiter, c.flushLocked(ctx)
}

// receivePongLocked wakes who waits for it, and those before: a peer may answer only
// the newest of several pings (RFC 6455 5.5.3).
func (c *Conn) receivePongLocked(payload []byte) {
	if c.pings == nil || len(payload) != 8 {
		return
	}
	id := binary.BigEndian.Uint64(payload)
	if !slices.ContainsFunc(c.pings.waiting, func(p pingWaiter) bool { return p.id == id }) {
		return
	}
	c.pings.waiting = slices.DeleteFunc(c.pings.waiting, func(p pingWaiter) bool {
		if p.id > id {
			return false
		}
		close(p.answered)
		return true
	})
}

func (c *Conn) forgetPing(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pings.waiting = slices.DeleteFunc(c.pings.waiting, func(p pingWaiter) bool { return p.id == id })
}
