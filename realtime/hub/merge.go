package hub

import (
	"time"

	"github.com/bellwire/bellwire/realtime"
)

// pendingBytesMax bounds what one channel's merged change may hold. Beyond it the change is told early: memory and the
// size of a message are kept, the rate is not.
const pendingBytesMax = 512 << 10

// merger turns presence changes of channels into fewer ones: pure, called by one owner at a time.
//
// A channel is known to it from a change that was told until a window has passed in which none was.
type merger struct {
	window   time.Duration // immutable
	channels map[string]*merging
	queue    []*merging // all of channels, in the order of their deadlines: the window is the same for all
}

// merging is one channel inside its window.
type merging struct {
	channel  string
	deadline time.Time
	ns       *realtime.Namespace

	// The change that waits; version 0: none.
	version uint64
	count   int
	users   map[string]*realtime.Member // nil: the user is gone
	bytes   int                         // about what users takes on the line
}

func newMerger(window time.Duration) *merger {
	return &merger{window: window, channels: make(map[string]*merging)}
}

// add takes one change. It returns the change to tell now, or nil when it waits for the deadline.
func (m *merger) add(ns *realtime.Namespace, change *realtime.PresenceChange, now time.Time) *realtime.PresenceChange {
	w := m.channels[change.Channel]
	if w == nil {
		w = &merging{channel: change.Channel, deadline: now.Add(m.window), ns: ns}
		m.channels[change.Channel] = w
		m.queue = append(m.queue, w)
		return change
	}
	w.ns = ns
	w.merge(change)
	if w.bytes <= pendingBytesMax {
		return nil
	}
	return w.take()
}

// forget drops what waits for a channel. It must be called when a change is not given to add: merged with a later one,
// what waits would tell of a user what is no longer so.
func (m *merger) forget(channel string) {
	if w := m.channels[channel]; w != nil {
		w.clear()
	}
}

// deadline is when due has something to do.
func (m *merger) deadline() (time.Time, bool) {
	if len(m.queue) == 0 {
		return time.Time{}, false
	}
	return m.queue[0].deadline, true
}

// due returns the next change whose time has come, and nil when there is none at now. It is called until it returns nil.
func (m *merger) due(now time.Time) (*realtime.Namespace, *realtime.PresenceChange) {
	for len(m.queue) > 0 {
		w := m.queue[0]
		if w.deadline.After(now) {
			return nil, nil
		}
		m.queue[0] = nil
		m.queue = m.queue[1:]
		if w.version == 0 {
			delete(m.channels, w.channel)
			continue
		}
		w.deadline = now.Add(m.window)
		m.queue = append(m.queue, w)
		return w.ns, w.take()
	}
	m.queue = nil
	return nil, nil
}

// merge keeps of every user only what is true after change.
func (w *merging) merge(change *realtime.PresenceChange) {
	if w.users == nil {
		w.users = make(map[string]*realtime.Member)
	}
	w.version, w.count = change.Version, change.Count
	for i := range change.Set {
		w.put(change.Set[i].User, &change.Set[i])
	}
	for _, user := range change.Left {
		w.put(user, nil)
	}
}

func (w *merging) put(user string, member *realtime.Member) {
	if before, found := w.users[user]; found {
		w.bytes -= memberBytes(user, before)
	}
	w.users[user] = member
	w.bytes += memberBytes(user, member)
}

func memberBytes(user string, member *realtime.Member) int {
	const overhead = 32
	n := overhead + len(user)
	if member != nil {
		n += len(member.Info)
		for i := range member.Connections {
			n += overhead + len(member.Connections[i].Connection) + len(member.Connections[i].Payload.Bytes)
		}
	}
	return n
}

// take returns the change that waits and forgets it. Set and Left are in no particular order.
func (w *merging) take() *realtime.PresenceChange {
	change := &realtime.PresenceChange{Channel: w.channel, Version: w.version, Count: w.count}
	for user, member := range w.users {
		if member == nil {
			change.Left = append(change.Left, user)
		} else {
			change.Set = append(change.Set, *member)
		}
	}
	w.clear()
	return change
}

func (w *merging) clear() { w.version, w.count, w.users, w.bytes = 0, 0, nil, 0 }
