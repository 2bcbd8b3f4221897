package memory

import (
	"sync"
	"sync/atomic"
	"time"
)

// janitor is the goroutine that calls Tick. What is expired is never shown, also where no janitor runs: it only gives
// memory back.
type janitor struct {
	next atomic.Int64 // Unix nanoseconds of the deadline it waits for; neverNext: none

	start, stop sync.Once
	woken       chan struct{} // capacity 1: there is an earlier deadline
	stopped     chan struct{}
}

const neverNext = 1<<63 - 1

func (j *janitor) init() {
	j.next.Store(neverNext)
	j.woken = make(chan struct{}, 1)
	j.stopped = make(chan struct{})
}

// expect tells it of a deadline. It is woken only when that is earlier than what it waits for.
func (j *janitor) expect(deadline time.Time) {
	if deadline.UnixNano() >= j.next.Load() {
		return
	}
	select {
	case j.woken <- struct{}{}:
	default:
	}
}

func (j *janitor) end() { j.stop.Do(func() { close(j.stopped) }) }

// Deadline is when Tick has something to do.
func (b *Backend) Deadline() (deadline time.Time, ok bool) {
	for i := range b.shards {
		s := &b.shards[i]
		s.mu.Lock()
		if c := s.upkeep.first(); c != nil && (!ok || c.at[slotUpkeep].Before(deadline)) {
			deadline, ok = c.at[slotUpkeep], true
		}
		s.mu.Unlock()
	}
	return deadline, ok
}

// Tick drops what has expired.
func (b *Backend) Tick(now time.Time) {
	for i := range b.shards {
		b.tickShard(&b.shards[i], now)
	}
}

func (b *Backend) tickShard(s *shard, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		c := s.upkeep.first()
		if c == nil || c.at[slotUpkeep].After(now) {
			return
		}
		b.look(s, c, now)
	}
}
