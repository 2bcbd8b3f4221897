package hub

import (
	"slices"
	"strings"
	"sync/atomic"
)

// Stats are counts of the whole hub. The first three are of now, the others since New.
type Stats struct {
	Channels      int // with at least one subscription
	Subscriptions int // patterns included
	Patterns      int // different ones

	Publications    int64 // given to the hub
	Deliveries      int64 // given to subscribers, marks included
	PresenceChanges int64 // given to the hub
	PresenceTold    int64 // told to the watchers of a channel, after merging
}

type counters struct {
	subscriptions                 atomic.Int64
	publications, deliveries      atomic.Int64
	presenceChanges, presenceTold atomic.Int64
}

// Stats reads the counts; they need not be of one moment.
func (h *Hub) Stats() Stats {
	s := Stats{
		Subscriptions: int(h.counters.subscriptions.Load()),
		Publications:  h.counters.publications.Load(), Deliveries: h.counters.deliveries.Load(),
		PresenceChanges: h.counters.presenceChanges.Load(), PresenceTold: h.counters.presenceTold.Load(),
	}
	for i := range h.lanes {
		h.lanes[i].mu.RLock()
		s.Channels += len(h.lanes[i].channels)
		h.lanes[i].mu.RUnlock()
	}
	h.patterns.mu.RLock()
	s.Patterns = len(h.patterns.joined)
	h.patterns.mu.RUnlock()
	return s
}

// Subscribers is how many subscriptions a channel has on this node, those by patterns not counted.
func (h *Hub) Subscribers(channel string) int {
	l := h.lane(channel)
	l.mu.RLock()
	defer l.mu.RUnlock()
	if m := l.channels[channel]; m != nil {
		return m.count()
	}
	return 0
}

// Channels lists the channels that match a pattern ("*": all), come after a name and have a subscription, in byte order.
// It looks at every channel of the hub: it is for people, not for every message.
func (h *Hub) Channels(pattern, after string, limit int) (channels []string, more bool) {
	prefix := strings.TrimSuffix(pattern, "*")
	for i := range h.lanes {
		h.lanes[i].mu.RLock()
		for channel := range h.lanes[i].channels {
			if channel > after && strings.HasPrefix(channel, prefix) {
				channels = append(channels, channel)
			}
		}
		h.lanes[i].mu.RUnlock()
	}
	slices.Sort(channels)
	if len(channels) > limit {
		return slices.Clip(channels[:limit]), true
	}
	return channels, false
}
