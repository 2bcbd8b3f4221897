package memory

import (
	"context"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
	"github.com/bellwire/bellwire/realtime/channel"
)

// Publish implements broker.Backend.
func (b *Backend) Publish(_ context.Context, ns *realtime.Namespace, draft broker.Draft) (broker.Published, error) {
	b.relieve()
	s := b.shard(draft.Channel)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := b.clock.Now()
	if !ns.HasLog() && draft.ID == "" {
		// Nothing of it is held, so it needs no channel.
		published, entry, err := channel.New(draft.Channel, "").Publish(ns, &draft, now)
		b.deliver(ns, entry)
		return published, err
	}
	if b.isFull() {
		return broker.Published{}, errFull()
	}
	c, err := b.channel(s, draft.Channel, ns)
	if err != nil {
		return broker.Published{}, err
	}
	published, entry, err := c.machine.Publish(ns, &draft, now)
	b.settle(s, c, now)
	b.deliver(ns, entry)
	return published, err
}

// Update implements broker.Backend.
func (b *Backend) Update(_ context.Context, ns *realtime.Namespace, update broker.Update) (broker.Updated, error) {
	if !ns.State {
		return broker.Updated{}, notAvailable("state")
	}
	b.relieve()
	s := b.shard(update.Channel)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := b.clock.Now()
	if b.isFull() && update.Op != broker.OpRemove {
		return broker.Updated{}, errFull()
	}
	c, err := b.channel(s, update.Channel, ns)
	if err != nil {
		return broker.Updated{}, err
	}
	updated, entry, err := c.machine.Update(ns, &update, now)
	b.settle(s, c, now)
	b.deliver(ns, entry)
	return updated, err
}

// deliver is called with the lock of the channel's shard held, which makes it one step with the append (POS-5).
func (b *Backend) deliver(ns *realtime.Namespace, entry *realtime.Publication) {
	if entry != nil {
		b.sink.DeliverPublication(ns, entry)
	}
}

// Enter implements broker.Backend.
func (b *Backend) Enter(_ context.Context, ns *realtime.Namespace, name string, entrant broker.Entrant) error {
	if !ns.Presence {
		return notAvailable("presence")
	}
	b.relieve()
	s := b.shard(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.isFull() {
		return errFull()
	}
	c, err := b.channel(s, name, ns)
	if err != nil {
		return err
	}
	change, err := c.presence.Enter(&entrant, ns.PresenceMembersMax)
	b.settle(s, c, b.clock.Now())
	b.deliverPresence(s, ns, name, change)
	return err
}

// Leave implements broker.Backend.
func (b *Backend) Leave(_ context.Context, ns *realtime.Namespace, name, user, connection string) error {
	s := b.shard(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[name]
	if c == nil {
		return nil
	}
	change := c.presence.Leave(user, connection)
	b.settle(s, c, b.clock.Now())
	b.deliverPresence(s, ns, name, change)
	return nil
}

func (b *Backend) deliverPresence(s *shard, ns *realtime.Namespace, name string, change *realtime.PresenceChange) {
	if change == nil {
		return
	}
	s.presenceVersion++
	change.Channel, change.Version = name, s.presenceVersion
	b.sink.DeliverPresence(ns, change)
}
