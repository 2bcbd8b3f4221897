package memory

import (
	"context"
	"slices"
	"strings"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
	"github.com/bellwire/bellwire/realtime/channel"
)

// History implements broker.Backend.
func (b *Backend) History(_ context.Context, ns *realtime.Namespace, name string, query broker.HistoryQuery) (broker.HistoryPage, error) {
	if !ns.History {
		return broker.HistoryPage{}, notAvailable("history")
	}
	if err := broker.CheckLimit(query.Limit); err != nil {
		return broker.HistoryPage{}, err
	}
	s := b.shard(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channels[name]
	if c == nil {
		return channel.New(name, "").History(ns, query, b.clock.Now()), nil
	}
	c.ns = ns
	page := c.machine.History(ns, query, b.clock.Now())
	b.count(c)
	return page, nil
}

// State implements broker.Backend.
func (b *Backend) State(_ context.Context, ns *realtime.Namespace, name string, query broker.StateQuery) (broker.StatePage, error) {
	if !ns.State {
		return broker.StatePage{}, notAvailable("state")
	}
	if query.Key == "" {
		if err := broker.CheckLimit(query.Limit); err != nil {
			return broker.StatePage{}, err
		}
	}
	s := b.shard(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.channels[name]; c != nil {
		return c.machine.State(query), nil
	}
	return broker.StatePage{}, nil
}

// Resume implements broker.Backend. It makes the channel if need be: its answer is a position, which must stay true.
func (b *Backend) Resume(_ context.Context, ns *realtime.Namespace, name string, query broker.ResumeQuery) (broker.Resumption, error) {
	if !ns.HasLog() {
		return broker.Resumption{}, nil
	}
	b.relieve()
	s := b.shard(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := b.channel(s, name, ns)
	if err != nil {
		return broker.Resumption{}, err
	}
	now := b.clock.Now()
	resumption := c.machine.Resume(ns, query, now)
	b.settle(s, c, now)
	return resumption, nil
}

// Presence implements broker.Backend.
func (b *Backend) Presence(_ context.Context, ns *realtime.Namespace, name string, query broker.PresenceQuery) (broker.PresencePage, error) {
	if !ns.Presence {
		return broker.PresencePage{}, notAvailable("presence")
	}
	if !query.CountOnly {
		if err := broker.CheckLimit(query.Limit); err != nil {
			return broker.PresencePage{}, err
		}
	}
	s := b.shard(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	page := broker.PresencePage{Version: s.presenceVersion}
	c := s.channels[name]
	if c == nil {
		return page, nil
	}
	page.Count = c.presence.Count()
	if !query.CountOnly {
		page.Members, page.More = c.presence.Page(query.After, query.Limit, channel.PageBytesMax)
	}
	return page, nil
}

// Channels implements broker.Backend. It looks at every channel: it is for people and tools.
func (b *Backend) Channels(_ context.Context, query broker.ChannelsQuery) (broker.ChannelsPage, error) {
	if err := broker.CheckLimit(query.Limit); err != nil {
		return broker.ChannelsPage{}, err
	}
	prefix, isPattern := strings.CutSuffix(query.Pattern, "*")
	var found []broker.ChannelInfo
	for i := range b.shards {
		s := &b.shards[i]
		s.mu.Lock()
		for name, c := range s.channels {
			matches := name == query.Pattern || isPattern && strings.HasPrefix(name, prefix)
			if matches && name > query.After && c.holdsSomething() {
				found = append(found, c.info())
			}
		}
		s.mu.Unlock()
		found = lowest(found, query.Limit+1)
	}
	page := broker.ChannelsPage{Channels: found, More: len(found) > query.Limit}
	if page.More {
		page.Channels = found[:query.Limit]
	}
	return page, nil
}

func (c *held) holdsSomething() bool {
	return c.machine.Entries() > 0 || c.machine.Keys() > 0 || c.presence.Count() > 0
}

func (c *held) info() broker.ChannelInfo {
	info := broker.ChannelInfo{
		Channel: c.machine.Name(), Top: c.machine.Top(),
		Entries: c.machine.Entries(), Keys: c.machine.Keys(), Members: c.presence.Count(),
	}
	if c.ns.HasLog() {
		info.Epoch = c.machine.Epoch()
	}
	return info
}

// lowest sorts by name and keeps the first count.
func lowest(infos []broker.ChannelInfo, count int) []broker.ChannelInfo {
	slices.SortFunc(infos, func(a, b broker.ChannelInfo) int { return strings.Compare(a.Channel, b.Channel) })
	return infos[:min(len(infos), count)]
}
