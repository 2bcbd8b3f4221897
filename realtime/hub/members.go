package hub

// members is who is in one channel, or listens to one pattern: a dense array, walked by every publication.
type members struct {
	list     []member // list[i].subscription.index == i
	watchers int      // members whose presence mode is not PresenceNone
}

// member repeats what a delivery needs, so that walking the array touches nothing else.
type member struct {
	subscriber   Subscriber
	subscription *Subscription
	protocol     uint8
}

func (m *members) add(s *Subscription) {
	s.in, s.index = m, len(m.list)
	m.list = append(m.list, member{subscriber: s.subscriber, subscription: s, protocol: s.protocol})
}

// remove fills the place of s with the last one.
func (m *members) remove(s *Subscription) {
	last := len(m.list) - 1
	m.list[s.index] = m.list[last]
	m.list[s.index].subscription.index = s.index
	m.list[last] = member{}
	m.list = m.list[:last]
	s.in = nil
	m.shrink()
}

// shrink gives memory back when most of the array is unused: a channel that once had very many keeps little.
func (m *members) shrink() {
	const capacityKept = 16
	if cap(m.list) > capacityKept && len(m.list) < cap(m.list)/4 {
		m.list = append(make([]member, 0, cap(m.list)/2), m.list...)
	}
}

func (m *members) watch(before, after PresenceMode) {
	if before != PresenceNone {
		m.watchers--
	}
	if after != PresenceNone {
		m.watchers++
	}
}
