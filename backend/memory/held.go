package memory

import (
	"time"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/channel"
	"github.com/bellwire/bellwire/realtime/presence"
)

// heldOverheadBytes is about what a channel takes that holds nothing.
const heldOverheadBytes = 512

// lingerMin is the least time for which a channel without content and subscribers is remembered.
const lingerMin = time.Minute

// held is one channel. It belongs to the lock of its shard.
type held struct {
	machine  *channel.Machine
	presence presence.Set
	ns       *realtime.Namespace // settings of the latest call
	bytes    int                 // what it was last counted as in Backend.bytes

	idleSince time.Time // first look that found it idle; zero: it was not idle at the last look, or was used since

	at    [slots]time.Time // when each schedule looks at it: never later than there is something to do
	index [slots]int       // its place in each schedule; -1: not in it
}

// Slots of the two schedules.
const (
	slotExpiry = iota
	slotUpkeep
	slots
)

func (c *held) size() int { return heldOverheadBytes + c.machine.Bytes() + c.presence.Bytes() }

// isEmpty reports whether it holds nothing but its position.
func (c *held) isEmpty() bool {
	return c.machine.Entries() == 0 && c.machine.Keys() == 0 && c.machine.IDs() == 0 && c.presence.Count() == 0
}

// linger is how long an idle channel is remembered: somebody may hold a position in it and come back.
func (c *held) linger() time.Duration {
	if c.machine.Top() == 0 && !c.ns.HasLog() {
		return 0 // nobody was told a position
	}
	return max(c.ns.HistoryAgeMax, lingerMin)
}

// channel returns a channel, made if need be. After using it the caller calls settle.
func (b *Backend) channel(s *shard, name string, ns *realtime.Namespace) (*held, error) {
	if c := s.channels[name]; c != nil {
		c.ns = ns
		return c, nil
	}
	if b.channels.Load() >= b.channelsMax {
		return nil, realtime.NewError(realtime.CodeLimitExceeded, "the server has its most channels")
	}
	if b.isFull() {
		return nil, errFull()
	}
	c := &held{machine: channel.New(name, b.nextEpoch()), ns: ns, index: [slots]int{-1, -1}}
	s.channels[name] = c
	b.channels.Add(1)
	return c, nil
}

// settle counts the channel's memory and sees to it that it is looked at in time.
func (b *Backend) settle(s *shard, c *held, now time.Time) {
	c.idleSince = time.Time{}
	b.count(c)
	if oldest, found := c.machine.OldestTime(); found && c.index[slotExpiry] < 0 {
		s.expiry.set(c, oldest.Add(c.ns.HistoryAgeMax))
	}
	s.schedule(c, now)
	b.janitor.expect(c.at[slotUpkeep])
}

func (b *Backend) count(c *held) {
	size := c.size()
	b.bytes.Add(int64(size - c.bytes))
	c.bytes = size
}

// schedule brings the next look forward where that is needed. One that comes too early finds nothing to do, which is
// cheaper than moving it back at every publication.
func (s *shard) schedule(c *held, now time.Time) {
	next := now.Add(max(c.linger(), lingerMin))
	if deadline, ok := c.machine.Deadline(c.ns); ok {
		next = deadline
	}
	if c.index[slotUpkeep] < 0 || next.Before(c.at[slotUpkeep]) {
		s.upkeep.set(c, next)
	}
}

// look does what is to be done for a channel whose time in the upkeep schedule has come.
func (b *Backend) look(s *shard, c *held, now time.Time) {
	s.upkeep.remove(c)
	c.machine.Trim(c.ns, now)
	b.count(c)
	if !c.isEmpty() || b.subscribers(c.machine.Name()) > 0 {
		c.idleSince = time.Time{}
		s.schedule(c, now)
		return
	}
	if c.idleSince.IsZero() {
		c.idleSince = now
	}
	end := c.idleSince.Add(c.linger())
	if !now.Before(end) {
		b.forget(s, c)
		return
	}
	s.upkeep.set(c, end)
}

// forget throws a channel away. Its next life has another epoch.
func (b *Backend) forget(s *shard, c *held) {
	s.expiry.remove(c)
	s.upkeep.remove(c)
	delete(s.channels, c.machine.Name())
	b.channels.Add(-1)
	b.bytes.Add(int64(-c.bytes))
}
