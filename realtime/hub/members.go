package hub

// members is who is in one channel, or listens to one pattern. Those that a carrier serves are kept by carrier, the others
// in one dense array that every publication walks.
type members struct {
	roll
	cohorts  []*Cohort // none is empty
	watchers int       // members whose presence mode is not PresenceNone
}

// roll is a dense array of members.
type roll struct {
	list []member // list[i].subscription.index == i
}

// member repeats what a delivery needs, so that walking the array touches nothing else.
type member struct {
	subscriber   Subscriber
	subscription *Subscription
	protocol     uint8
}

func (m *members) isEmpty() bool { return len(m.list) == 0 && len(m.cohorts) == 0 }

// count is of this moment: carriers' members join and leave under locks of their own.
func (m *members) count() int {
	n := len(m.list)
	for _, c := range m.cohorts {
		n += int(c.size.Load())
	}
	return n
}

func (m *members) add(s *Subscription) {
	s.in = m
	if s.carrier == nil {
		m.roll.add(s)
		return
	}
	c := m.cohort(s.carrier)
	if c == nil {
		c = &Cohort{carrier: s.carrier}
		m.cohorts = append(m.cohorts, c)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.roll.add(s)
	c.size.Add(1)
}

func (m *members) remove(s *Subscription) {
	s.in = nil
	if s.carrier == nil {
		m.roll.remove(s)
		return
	}
	c := m.cohort(s.carrier)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.roll.remove(s)
	if c.size.Add(-1) == 0 {
		m.dismiss(c)
	}
}

func (m *members) cohort(carrier Carrier) *Cohort {
	for _, c := range m.cohorts {
		if c.carrier == carrier {
			return c
		}
	}
	return nil
}

// dismiss forgets a cohort. What is on its way to it finds nobody.
func (m *members) dismiss(c *Cohort) {
	for i := range m.cohorts {
		if m.cohorts[i] == c {
			last := len(m.cohorts) - 1
			m.cohorts[i], m.cohorts[last] = m.cohorts[last], nil
			m.cohorts = m.cohorts[:last]
			return
		}
	}
}

func (r *roll) add(s *Subscription) {
	s.index = len(r.list)
	r.list = append(r.list, member{subscriber: s.subscriber, subscription: s, protocol: s.protocol})
}

// remove fills the place of s with the last one.
func (r *roll) remove(s *Subscription) {
	last := len(r.list) - 1
	r.list[s.index] = r.list[last]
	r.list[s.index].subscription.index = s.index
	r.list[last] = member{}
	r.list = r.list[:last]
	r.shrink()
}

// shrink gives memory back when most of the array is unused: a channel that once had very many keeps little.
func (r *roll) shrink() {
	const capacityKept = 16
	if cap(r.list) > capacityKept && len(r.list) < cap(r.list)/4 {
		r.list = append(make([]member, 0, cap(r.list)/2), r.list...)
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
