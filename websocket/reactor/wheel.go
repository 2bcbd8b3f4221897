package reactor

import (
	"math/bits"
	"time"
)

// wheel finds the lines whose time has come, a tick at a time. Nothing is moved
// when a connection carries traffic, which makes its deadline later: it stays where it
// is, and when its tick comes it is asked for its deadline, and put further on. So a
// message costs the wheel nothing, and an idle connection one visit an interval.
type wheel struct {
	heads [wheelTicks]int32 // slot of the first line; none: -1
	used  [wheelTicks / 64]uint64
	next  uint32 // the first tick that has not passed
}

const (
	tick       = 128 * time.Millisecond
	wheelTicks = 512 // what is due later than this many ticks is asked once a turn
)

func (w *wheel) init(now time.Duration) {
	for i := range w.heads {
		w.heads[i] = -1
	}
	w.next = uint32(now/tick) + 1
}

// put makes a line due at an instant, unless it is due earlier already.
func (w *wheel) put(t *table, c *line, due time.Duration) {
	at := uint32((due + tick - 1) / tick)
	at = min(max(at, w.next), w.next+wheelTicks-1)
	if c.wheelTick != 0 {
		if c.wheelTick <= at {
			return
		}
		w.remove(t, c)
	}
	i := at % wheelTicks
	head := w.heads[i]
	c.wheelTick, c.wheelNext, c.wheelPrev = at, head, -1
	if head >= 0 {
		t.at(uint32(head)).wheelPrev = int32(c.slot)
	}
	w.heads[i] = int32(c.slot)
	w.used[i/64] |= 1 << (i % 64)
}

func (w *wheel) remove(t *table, c *line) {
	if c.wheelTick == 0 {
		return
	}
	i := c.wheelTick % wheelTicks
	if c.wheelNext >= 0 {
		t.at(uint32(c.wheelNext)).wheelPrev = c.wheelPrev
	}
	if c.wheelPrev >= 0 {
		t.at(uint32(c.wheelPrev)).wheelNext = c.wheelNext
	} else if w.heads[i] = c.wheelNext; c.wheelNext < 0 {
		w.used[i/64] &^= 1 << (i % 64)
	}
	c.wheelTick, c.wheelNext, c.wheelPrev = 0, -1, -1
}

// advance takes the next line whose tick has passed out of the wheel, and
// returns nil when there is none.
func (w *wheel) advance(t *table, now time.Duration) *line {
	for last := uint32(now / tick); w.next <= last; w.next++ {
		if i := w.next % wheelTicks; w.heads[i] >= 0 {
			c := t.at(uint32(w.heads[i]))
			w.remove(t, c)
			return c
		}
	}
	return nil
}

// deadline returns when the first line is due, and false where none is.
func (w *wheel) deadline() (time.Duration, bool) {
	start := w.next % wheelTicks
	for step := uint32(0); step <= wheelTicks; {
		i := (start + step) % wheelTicks
		word := w.used[i/64] >> (i % 64)
		if word == 0 {
			step += 64 - i%64
			continue
		}
		step += uint32(bits.TrailingZeros64(word))
		return time.Duration(w.next+step) * tick, true
	}
	return 0, false
}
