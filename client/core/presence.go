package core

import (
	"github.com/bellwire/bellwire/protocol/native/wire"
	"github.com/bellwire/bellwire/realtime"
)

// presence is who is in a channel as the client holds it: the number of users, and the users where asked for (SUB-11).
type presence struct {
	members  map[string]realtime.Member
	count    uint64
	version  uint64
	complete bool              // no page is missing
	changed  map[string]uint64 // while incomplete: when users changed or left, so that no older page undoes it
}

func newPresence() presence {
	return presence{members: make(map[string]realtime.Member), changed: make(map[string]uint64)}
}

func (p *presence) size() int { return len(p.members) + len(p.changed) }

func (p *presence) clear() {
	clear(p.members)
	clear(p.changed)
	p.count, p.version, p.complete = 0, 0, false
}

// merge takes a page and returns the members that were taken.
func (p *presence) merge(page *wire.PresencePage) (taken []realtime.Member) {
	for _, member := range page.Members {
		if p.changed[member.User] <= page.Version {
			p.members[member.User] = member
			taken = append(taken, member)
		}
	}
	if !page.More {
		p.complete = true
		clear(p.changed)
	}
	return taken
}

// apply takes a change; only a newer one counts (PRE-4).
func (p *presence) apply(change *wire.PresenceChange) bool {
	if change.Version <= p.version {
		return false
	}
	p.version, p.count = change.Version, change.Count
	for _, member := range change.Set {
		p.members[member.User] = member
		p.remember(member.User)
	}
	for _, user := range change.Left {
		delete(p.members, user)
		p.remember(user)
	}
	return true
}

func (p *presence) remember(user string) {
	if !p.complete {
		p.changed[user] = p.version
	}
}

// answeredPresence takes what the answer to subscribe says of the presence (SRV-1). It returns the command that asks for
// the members that are missing, or nil.
func (c *Core) answeredPresence(s *subscription, page *wire.PresencePage) wire.Command {
	s.presence.clear()
	if page == nil || !s.live {
		return nil
	}
	s.presence.version, s.presence.count = page.Version, page.Count
	taken := s.presence.merge(page)
	c.put(&PresenceChange{Channel: s.channel, Version: page.Version, Count: page.Count, Set: taken, Reset: true})
	if !c.withinLimits(s) {
		return nil
	}
	return restOfPresence(s.channel, page)
}

// receivePresencePage takes the answer to such a command. The version stays that of the changes: one that comes after a
// page may be about users before it.
func (c *Core) receivePresencePage(s *subscription, page *wire.PresencePage) wire.Command {
	taken := s.presence.merge(page)
	c.put(&PresenceChange{Channel: s.channel, Version: s.presence.version, Count: s.presence.count, Set: taken})
	if !c.withinLimits(s) {
		return nil
	}
	return restOfPresence(s.channel, page)
}

// restOfPresence asks for the users after the last of a page that is not the last.
func restOfPresence(channel string, page *wire.PresencePage) wire.Command {
	if !page.More || len(page.Members) == 0 {
		return nil
	}
	return &wire.Presence{Channel: channel, After: page.Members[len(page.Members)-1].User}
}

func (c *Core) receivePresence(change *wire.PresenceChange) {
	s := c.subscriptions[change.Channel]
	if s == nil || !s.live || !s.presence.apply(change) {
		return
	}
	c.put(&PresenceChange{Channel: s.channel, Version: change.Version, Count: change.Count, Set: change.Set, Left: change.Left})
	c.withinLimits(s)
}
