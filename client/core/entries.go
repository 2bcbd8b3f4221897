package core

import (
	"github.com/bellwire/bellwire/protocol/native/wire"
	"github.com/bellwire/bellwire/realtime"
)

// entries is the state of one channel as the client holds it: a snapshot and all changes after it (POS-7).
type entries struct {
	held     map[string]realtime.Entry
	asOf     uint64            // changes up to it are in what is held (SUB-8)
	complete bool              // no page is missing: a recovered answer needs no snapshot
	removed  map[string]uint64 // while incomplete: when keys were removed, so that no older page brings them back
}

func newEntries() entries {
	return entries{held: make(map[string]realtime.Entry), removed: make(map[string]uint64)}
}

func (e *entries) size() int { return len(e.held) + len(e.removed) }

// clear forgets what is held: it is of another life of the log, or from before a loss.
func (e *entries) clear() {
	clear(e.held)
	clear(e.removed)
	e.asOf = 0
	e.complete = false
}

// merge takes a snapshot or a page of it; what is already newer stays. It returns the entries that were taken.
func (e *entries) merge(page *wire.StatePage) (taken []realtime.Entry) {
	for _, entry := range page.Entries {
		if entry.Version > e.held[entry.Key].Version && entry.Version > e.removed[entry.Key] {
			e.held[entry.Key] = entry
			taken = append(taken, entry)
		}
	}
	if !page.More {
		e.complete = true
		clear(e.removed)
	}
	return taken
}

// apply takes a change and reports whether it is news.
func (e *entries) apply(version uint64, change *realtime.StateChange) bool {
	if version <= e.asOf || version <= e.held[change.Key].Version || version <= e.removed[change.Key] {
		return false
	}
	if !change.Removed {
		e.held[change.Key] = realtime.Entry{Key: change.Key, Value: change.Value, Version: version}
		return true
	}
	delete(e.held, change.Key)
	if !e.complete {
		e.removed[change.Key] = version
	}
	return true
}

// answeredState takes what the answer to subscribe says of the state (SUB-8). It returns the command that asks for what
// is missing, or nil.
func (c *Core) answeredState(s *subscription, page *wire.StatePage, recovered bool) wire.Command {
	if !s.options.State || page == nil && recovered && s.entries.complete {
		return nil
	}
	s.entries.clear()
	output := &ChannelState{Channel: s.channel, Reset: true}
	c.put(output)
	if page == nil {
		return &wire.State{Channel: s.channel} // The snapshot had not come whole.
	}
	s.entries.asOf = page.AsOf
	output.Set = s.entries.merge(page)
	if !c.withinLimits(s) {
		return nil
	}
	return restOfState(s.channel, page)
}

// receiveStatePage takes the answer to such a command.
func (c *Core) receiveStatePage(s *subscription, page *wire.StatePage) wire.Command {
	if taken := s.entries.merge(page); len(taken) > 0 {
		c.put(&ChannelState{Channel: s.channel, Set: taken})
	}
	if !c.withinLimits(s) {
		return nil
	}
	return restOfState(s.channel, page)
}

// restOfState asks for the keys after the last of a page that is not the last.
func restOfState(channel string, page *wire.StatePage) wire.Command {
	if !page.More || len(page.Entries) == 0 {
		return nil
	}
	return &wire.State{Channel: channel, After: page.Entries[len(page.Entries)-1].Key}
}
