package reactor

import (
	"sync/atomic"

	"github.com/bellwire/bellwire/websocket"
)

// population counts the connections of a reactor, each from the moment that room is made for it, before its handshake is
// answered, until the system has it back. So an end that waits for the last of them waits also for those that have
// their answer and are still on their way to a loop; and once none is left none can come any more.
type population struct {
	count  atomic.Int64 // far below 0: it is extinct
	ending atomic.Bool
	ended  chan struct{} // closed when it is extinct
}

const extinct = -1 << 62

// enter counts a connection that is about to come. It fails with ErrFull, and with websocket.ErrClosed after the end.
func (p *population) enter(countMax int) error {
	n := p.count.Add(1)
	switch {
	case n <= 0:
		p.count.Add(-1)
		return websocket.ErrClosed
	case n > int64(countMax):
		p.leave()
		return ErrFull
	}
	return nil
}

func (p *population) leave() {
	if p.count.Add(-1) == 0 && p.ending.Load() {
		p.die()
	}
}

// end lets nobody in any more once nobody is there.
func (p *population) end() {
	p.ending.Store(true)
	p.die()
}

// die closes ended, once, if nobody is there.
func (p *population) die() {
	if p.count.CompareAndSwap(0, extinct) {
		close(p.ended)
	}
}

func (p *population) size() int { return int(max(0, p.count.Load())) }
