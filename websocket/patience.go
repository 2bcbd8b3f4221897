package websocket

import (
	"net"
	"time"
)

const (
	// progressBytesMin is what a peer has to take within the write timeout, if there is so much for it.
	progressBytesMin = 1 << 10

	// patienceLooks is how often within the write timeout a peer that is waited for is looked at.
	patienceLooks = 4
)

// A patience lets a write that waits go on as long as its peer takes something. The deadline of a line alone
// would judge the peer by whether the system takes more, and it does so only when a third of its buffer,
// which is a matter of megabytes, is free: over a slow link that takes longer than any timeout.
//
// Only sockets of Linux can be asked, also those beneath TLS; on other lines a peer is judged by each piece.
type patience struct {
	socket socket      // of the line, or beneath it
	timer  *time.Timer // calls Conn.look; nil until the first write that waits

	// Guarded by the connection's mu.

	waiting bool // a write goes on
	looking bool // the timer runs
	looked  bool // untaken is known
	untaken int  // bytes that the system held for the peer when it was seen to take something last
}

// newPatience finds the socket of a line.
func newPatience(line net.Conn) *patience {
	p := new(patience)
	for {
		over, ok := line.(interface{ NetConn() net.Conn }) // such as a *tls.Conn
		if !ok {
			break
		}
		line = over.NetConn()
	}
	p.socket.ask(line)
	return p
}

// piece returns how much is given to the line at once.
func (p *patience) piece() int {
	if p.socket.tells() {
		return writeBytesMax
	}
	return unseenBytesMax
}

// waitLocked begins a write that may have to wait. The timer is left to run from one write to the next.
func (c *Conn) waitLocked() {
	if c.patience == nil {
		c.patience = newPatience(c.line)
	}
	p := c.patience
	if c.writeTimeout == 0 || !p.socket.tells() {
		return
	}
	p.waiting, p.looked = true, false
	if p.looking {
		return
	}
	p.looking = true
	if p.timer == nil {
		p.timer = time.AfterFunc(c.writeTimeout/patienceLooks, c.look)
	} else {
		p.timer.Reset(c.writeTimeout / patienceLooks)
	}
}

// look is called by the timer.
func (c *Conn) look() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.patience; !p.waiting || c.endErr != nil {
		p.looking = false
		return
	}
	c.lookLocked()
	c.patience.timer.Reset(c.writeTimeout / patienceLooks)
}

// lookLocked puts the deadline of the write off if the peer has taken something. What the system holds changes by
// that alone: it becomes less, or more since there was room again.
func (c *Conn) lookLocked() {
	p, left := c.patience, c.patience.socket.untaken()
	change := max(left-p.untaken, p.untaken-left)
	switch {
	case !p.looked:
		p.looked, p.untaken = true, left
	case change >= progressBytesMin && c.writeArmed != 0: // 0: the write was interrupted
		p.untaken = left
		c.writeArmed = 0
		c.armWriteLocked()
	}
}

// restLocked says that the write is over.
func (p *patience) restLocked() {
	if p != nil {
		p.waiting = false
	}
}

// stopLocked ends the timer.
func (p *patience) stopLocked() {
	if p != nil && p.timer != nil {
		p.waiting = false
		p.timer.Stop()
	}
}
