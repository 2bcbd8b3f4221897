package hub

import (
	"time"

	"github.com/bellwire/bellwire/realtime"
)

// DeliverPresence tells those who watch the channel's presence, at once or merged with later changes (SRV-4).
func (h *Hub) DeliverPresence(ns *realtime.Namespace, change *realtime.PresenceChange) {
	h.counters.presenceChanges.Add(1)
	l := h.lane(change.Channel)
	l.presenceMu.Lock()
	defer l.presenceMu.Unlock()
	if !l.isWatched(change.Channel) {
		l.merger.forget(change.Channel)
		return
	}
	now := h.clock.Now()
	_, armed := l.merger.deadline()
	if tell := l.merger.add(ns, change, now); tell != nil {
		h.tellPresence(l, ns, tell)
	}
	if !armed {
		h.driver.wake()
	}
}

func (l *lane) isWatched(channel string) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	m := l.channels[channel]
	return m != nil && m.watchers > 0
}

// Deadline is when Tick has something to do. Whoever calls Start needs neither.
func (h *Hub) Deadline() (deadline time.Time, ok bool) {
	for i := range h.lanes {
		l := &h.lanes[i]
		l.presenceMu.Lock()
		next, found := l.merger.deadline()
		l.presenceMu.Unlock()
		if found && (!ok || next.Before(deadline)) {
			deadline, ok = next, true
		}
	}
	return deadline, ok
}

// Tick tells the presence changes whose time has come.
func (h *Hub) Tick(now time.Time) {
	for i := range h.lanes {
		h.tickLane(&h.lanes[i], now)
	}
}

func (h *Hub) tickLane(l *lane, now time.Time) {
	l.presenceMu.Lock()
	defer l.presenceMu.Unlock()
	for {
		ns, change := l.merger.due(now)
		if change == nil {
			return
		}
		h.tellPresence(l, ns, change)
	}
}

// tellPresence is called with l.presenceMu held, which keeps the order of the versions.
func (h *Hub) tellPresence(l *lane, ns *realtime.Namespace, change *realtime.PresenceChange) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	m := l.channels[change.Channel]
	if m == nil || m.watchers == 0 {
		return
	}
	t := &presenceParcel{ns: ns, presenceFanout: presenceFanout{protocols: *h.protocols.Load()}}
	t.forms[PresenceMembers].change = change
	t.forms[PresenceCount].change = &realtime.PresenceChange{Channel: change.Channel, Version: change.Version, Count: change.Count}
	for i := range m.list {
		if mode := m.list[i].subscription.presence; mode != PresenceNone {
			m.list[i].subscriber.DeliverPresence(t.deliveryLocking(mode, m.list[i].protocol))
		}
	}
	for _, c := range m.cohorts {
		c.carrier.CarryUrgent(c, t)
	}
	h.counters.presenceTold.Add(1)
}

// presenceFanout is one change on its way, with what has been encoded of it so far.
type presenceFanout struct {
	protocols []Encoder
	forms     [PresenceMembers + 1]struct {
		change  *realtime.PresenceChange
		encoded [ProtocolsMax][]byte
	}
}

func (t *presenceFanout) delivery(ns *realtime.Namespace, mode PresenceMode, protocol uint8) PresenceDelivery {
	f := &t.forms[mode]
	if f.encoded[protocol] == nil {
		f.encoded[protocol] = t.protocols[protocol].EncodePresence(f.change)
	}
	return PresenceDelivery{Namespace: ns, Change: f.change, Encoded: f.encoded[protocol]}
}
