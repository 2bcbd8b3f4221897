package reactor

import (
	"fmt"
	"math/bits"
)

// Held says what the loops of a reactor hold, each in a line of text: what is left when connections have gone. It
// waits for the loops.
func (r *Reactor) Held() (held []string) {
	for _, l := range r.loops {
		told := make(chan string)
		if l.handle.CarryUrgent(teller{}, told) == nil {
			held = append(held, <-told)
		}
	}
	return held
}

type teller struct{}

// Run is called on the loop.
func (teller) Run(l *Loop, with any) {
	own, waits, backlogs := l.own, 0, 0
	for _, word := range own.wheel.used {
		waits += bits.OnesCount64(word)
	}
	own.table.each(func(c *line) {
		if c.backlog != nil {
			backlogs++
		}
	})
	with.(chan string) <- fmt.Sprintf("%d lines, %d buffers lent, %d queues, %d unread, %d inflating, %d doomed, %d members, %v in the wheel",
		own.table.used, own.lent, backlogs, len(own.unread), len(own.inflating), len(own.doomed), len(own.members), waits > 0)
}
