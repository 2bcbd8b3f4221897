package memory

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire/realtime"
)

// evictPart is the part of BytesMax that is made free at once, so that the search is paid for rarely.
const evictPart = 64

// evictTolerance is how much younger an entry may be than the oldest of another shard and yet go before it: searching
// all shards for every entry would cost more than it is worth.
const evictTolerance = time.Second

// reclaimPause is the least time between two searches through all channels.
const reclaimPause = time.Second

// pressure makes room when memory is short.
type pressure struct {
	evicted   atomic.Int64
	exhausted atomic.Bool // the last relieve found no entry to drop

	reclaimNext atomic.Int64 // Unix nanoseconds: no reclaim before

	mu sync.Mutex // held while room is made; taken before the lock of a shard
}

// relieve makes room when there is too much. It is called before a shard is locked: what is stored after it passes the
// limit by no more than one command of each caller.
func (b *Backend) relieve() {
	if b.bytes.Load() > b.bytesMax {
		b.pressure.mu.Lock()
		b.pressure.exhausted.Store(!b.evict())
		b.pressure.mu.Unlock()
	}
	if b.isFull() || b.channels.Load() >= b.channelsMax {
		b.reclaimSometimes()
	}
}

// isFull reports whether nothing more may be stored.
func (b *Backend) isFull() bool {
	return b.bytes.Load() > b.bytesMax && b.pressure.exhausted.Load()
}

func errFull() error {
	return realtime.NewError(realtime.CodeLimitExceeded, "the server's memory for channels is full")
}

// evict drops the entries nearest to their end of life. It is false when there are none left and that is not enough.
func (b *Backend) evict() bool {
	goal := b.bytesMax - b.bytesMax/evictPart
	for b.bytes.Load() > goal {
		s, until := b.oldestShard()
		if s == nil {
			return b.bytes.Load() <= b.bytesMax
		}
		b.evictFrom(s, until, goal)
	}
	return true
}

// oldestShard is the shard with the entry nearest to its end of life, nil when no shard has entries, and the time up to
// which its entries are no younger than those of the others, within the tolerance.
func (b *Backend) oldestShard() (oldest *shard, until time.Time) {
	var first, second time.Time // the earliest two ends of life
	for i := range b.shards {
		end, found := b.shards[i].firstEnd()
		switch {
		case !found:
		case oldest == nil || end.Before(first):
			oldest, first, second = &b.shards[i], end, first
		case second.IsZero() || end.Before(second):
			second = end
		}
	}
	if second.IsZero() {
		second = first
	}
	return oldest, second.Add(evictTolerance)
}

// firstEnd is the end of life of the shard's entry that is nearest to it.
func (s *shard) firstEnd() (end time.Time, found bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.freshExpiry(); c != nil {
		return c.at[slotExpiry], true
	}
	return time.Time{}, false
}

// evictFrom drops entries of one shard whose end of life is not after until, as long as there are more bytes than goal.
func (b *Backend) evictFrom(s *shard, until time.Time, goal int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for b.bytes.Load() > goal {
		c := s.freshExpiry()
		if c == nil || c.at[slotExpiry].After(until) {
			return
		}
		c.machine.DropOldest()
		b.count(c)
		b.pressure.evicted.Add(1)
	}
}

// freshExpiry is the channel whose oldest entry is nearest to its end of life. It corrects times that have become too
// early on its way.
func (s *shard) freshExpiry() *held {
	for {
		c := s.expiry.first()
		if c == nil {
			return nil
		}
		oldest, found := c.machine.OldestTime()
		end := oldest.Add(c.ns.HistoryAgeMax)
		switch {
		case !found:
			s.expiry.remove(c)
		case end.After(c.at[slotExpiry]):
			s.expiry.set(c, end)
		default:
			return c
		}
	}
}

func (b *Backend) reclaimSometimes() {
	now := b.clock.Now()
	next := b.pressure.reclaimNext.Load()
	if now.UnixNano() >= next && b.pressure.reclaimNext.CompareAndSwap(next, now.Add(reclaimPause).UnixNano()) {
		b.reclaim()
	}
}

// reclaim forgets every channel that holds nothing and that nobody is subscribed to. Who comes back to it is told the
// truth: another epoch.
func (b *Backend) reclaim() {
	for i := range b.shards {
		s := &b.shards[i]
		s.mu.Lock()
		for name, c := range s.channels {
			if c.isEmpty() && b.subscribers(name) == 0 {
				b.forget(s, c)
			}
		}
		s.mu.Unlock()
	}
}
