package hub

import "github.com/bellwire/bellwire/realtime"

// PresenceMode is what of a channel's presence a subscription is told (SUB-11).
type PresenceMode uint8

const (
	PresenceNone PresenceMode = iota
	PresenceCount
	PresenceMembers
)

// Options belong to one subscription.
type Options struct {
	Encoder    Encoder      // of the connection's protocol
	Connection string       // its connection: the one that a publication may skip, and that gets it once for all patterns
	Presence   PresenceMode // PresenceNone with a pattern
	Carrier    Carrier      // what serves its connection; nil: whoever delivers calls the subscriber
}

// Subscription is one subscriber in one channel or pattern, from Join to Leave.
type Subscription struct {
	// Immutable after Join.
	name       string // channel or pattern
	pattern    bool
	connection string
	subscriber Subscriber
	carrier    Carrier
	protocol   uint8

	// Guarded by the lock of the lane, or of the patterns; index and presence by that of the cohort, where there is one.
	joined   bool
	presence PresenceMode
	index    int      // in the roll
	in       *members // where it is; nil: not joined, or covered by another pattern of its connection
}

// Name is the channel or pattern.
func (s *Subscription) Name() string { return s.name }

// Join makes a subscriber receive everything that is delivered to a channel or pattern from now on, once. Names have
// been checked. It is CodeLimitExceeded when the hub would hold too many different patterns.
func (h *Hub) Join(subscriber Subscriber, name string, options Options) (*Subscription, error) {
	protocol, err := h.protocolIndex(options.Encoder)
	if err != nil {
		return nil, err
	}
	h.know(options.Carrier)
	s := &Subscription{
		name: name, pattern: realtime.IsPattern(name), connection: options.Connection,
		subscriber: subscriber, carrier: options.Carrier, protocol: protocol, presence: options.Presence,
	}
	if s.pattern {
		s.presence = PresenceNone
		err = h.patterns.join(s)
	} else {
		h.lane(name).join(s)
	}
	if err != nil {
		return nil, err
	}
	h.counters.subscriptions.Add(1)
	return s, nil
}

// Leave ends a subscription. When it has returned, nothing more is delivered to it (UNS-1). A second Leave does nothing.
func (h *Hub) Leave(s *Subscription) {
	var left bool
	if s.pattern {
		left = h.patterns.leave(s)
	} else {
		left = h.lane(s.name).leave(s)
	}
	if left {
		h.counters.subscriptions.Add(-1)
	}
}

// SetPresence changes what of the channel's presence a subscription is told from now on.
func (h *Hub) SetPresence(s *Subscription, mode PresenceMode) {
	if s.pattern {
		return
	}
	l := h.lane(s.name)
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.joined {
		s.in.watch(s.presence, mode)
		if c := s.in.cohort(s.carrier); c != nil {
			c.mu.Lock()
			defer c.mu.Unlock()
		}
	}
	s.presence = mode
}

func (l *lane) join(s *Subscription) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.channels[s.name]
	if m == nil {
		m = new(members)
		l.channels[s.name] = m
	}
	m.add(s)
	m.watch(PresenceNone, s.presence)
	s.joined = true
}

func (l *lane) leave(s *Subscription) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !s.joined {
		return false
	}
	m := s.in
	m.watch(s.presence, PresenceNone)
	m.remove(s)
	s.joined = false
	if m.isEmpty() {
		delete(l.channels, s.name)
	}
	return true
}
