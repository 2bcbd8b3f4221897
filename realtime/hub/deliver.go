package hub

import "github.com/bellwire/bellwire/realtime"

// DeliverPublication hands a publication to every subscription of its channel, and to every pattern that matches.
func (h *Hub) DeliverPublication(ns *realtime.Namespace, publication *realtime.Publication) {
	h.counters.publications.Add(1)
	l := h.lane(publication.Channel)
	l.mu.RLock()
	if m := l.channels[publication.Channel]; m != nil {
		h.deliverChannel(ns, publication, m)
	}
	l.mu.RUnlock()
	if h.patterns.prefixes.Load() != 0 {
		h.deliverPatterns(ns, publication)
	}
}

func (h *Hub) deliverChannel(ns *realtime.Namespace, publication *realtime.Publication, m *members) {
	f := fanout{ns: ns, publication: publication, protocols: *h.protocols.Load()}
	h.deliverTo(&f, m)
	h.counters.deliveries.Add(int64(f.delivered))
}

// deliverTo delivers to the members that no carrier serves, and hands the rest to the carriers.
func (h *Hub) deliverTo(f *fanout, m *members) {
	f.deliver(m.list)
	if behind := m.carry(f, h); behind > 0 && h.overrun != nil {
		h.overrun(behind)
	}
}

// deliverPatterns looks up one prefix for each length that some pattern has.
func (h *Hub) deliverPatterns(ns *realtime.Namespace, publication *realtime.Publication) {
	p := &h.patterns
	p.mu.RLock()
	defer p.mu.RUnlock()
	f := fanout{ns: ns, protocols: *h.protocols.Load(), pattern: true}
	for _, l := range p.lengths {
		if l.length > len(publication.Channel) {
			break
		}
		m := p.byPrefix[publication.Channel[:l.length]]
		if m == nil {
			continue
		}
		if f.publication == nil {
			f.publication = publication.WithoutPosition()
		}
		h.deliverTo(&f, m)
	}
	h.counters.deliveries.Add(int64(f.delivered))
}

// fanout is one publication on its way, in one form, with what has been encoded of it so far.
type fanout struct {
	ns          *realtime.Namespace
	publication *realtime.Publication
	protocols   []Encoder
	pattern     bool
	encoded     [ProtocolsMax][]byte
	delivered   int
}

// deliver gives one connection, where one is to be skipped, the mark in place of the publication: on a channel without log, and by a
// pattern, there is no position to advance, so it gets nothing (PUB-2).
func (f *fanout) deliver(list []member) {
	d := Delivery{Namespace: f.ns, Publication: f.publication, Pattern: f.pattern}
	skip := f.publication.SkipConnection
	for i := range list {
		m := &list[i]
		if skip != "" && m.subscription.connection == skip {
			f.deliverMark(m)
			continue
		}
		d.Encoded = f.encode(m.protocol)
		m.subscriber.DeliverPublication(d)
		f.delivered++
	}
}

func (f *fanout) deliverMark(m *member) {
	if f.publication.Offset == 0 {
		return
	}
	mark := f.publication.Mark()
	m.subscriber.DeliverPublication(Delivery{
		Namespace: f.ns, Publication: mark, Encoded: f.protocols[m.protocol].EncodePublication(mark), Pattern: f.pattern,
	})
	f.delivered++
}

func (f *fanout) encode(protocol uint8) []byte {
	if f.encoded[protocol] == nil {
		f.encoded[protocol] = f.protocols[protocol].EncodePublication(f.publication)
	}
	return f.encoded[protocol]
}
