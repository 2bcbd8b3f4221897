package hub

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/bellwire/bellwire/realtime"
)

// Carrier is one of a few goroutines that each serve many subscribers, the loop of a reactor. What is to be delivered is
// carried to it once, and it walks its own subscribers: nobody is woken for a delivery but the carrier, and a publisher pays
// for carriers and not for subscribers. A Carrier is comparable.
type Carrier interface {
	// Carry has task run on the carrier with what is given here, after everything that was carried before. It never blocks.
	// bytes is about what that holds in memory meanwhile. It reports false when the carrier is too far behind, or has ended.
	Carry(task *Cohort, with any, bytes int) bool

	// CarryUrgent is Carry for what must not be lost.
	CarryUrgent(task *Cohort, with any)

	// Behind returns nil as long as little waits for the carrier, and otherwise a channel that is closed when it has caught up.
	Behind() <-chan struct{}

	// Frame writes a message once for all lines that are passed it before Run returns.
	Frame(framing Framing, message []byte) Frame
}

// Framing is what a message is on a line.
type Framing uint8

const (
	FramingText   Framing = iota // a text message of a WebSocket
	FramingBinary                // a binary message of a WebSocket
	FramingNone                  // what it is, without anything around it
)

// know notes a carrier, so that Behind asks it.
func (h *Hub) know(carrier Carrier) {
	if carrier == nil || slices.Contains(*h.carriers.Load(), carrier) {
		return
	}
	h.growMu.Lock()
	defer h.growMu.Unlock()
	if present := *h.carriers.Load(); !slices.Contains(present, carrier) {
		more := append(present[:len(present):len(present)], carrier)
		h.carriers.Store(&more)
	}
}

// Behind returns nil as long as no carrier is behind, and otherwise a channel that is closed when one has caught up. Whoever
// publishes, holds no lock and is not a carrier should wait for it: what a carrier has no room for is not delivered.
func (h *Hub) Behind() <-chan struct{} {
	for _, c := range *h.carriers.Load() {
		if behind := c.Behind(); behind != nil {
			return behind
		}
	}
	return nil
}

// Settle returns when everything that was handed to carriers before has been delivered, or when ctx ends. No carrier may wait
// for it.
func (h *Hub) Settle(ctx context.Context) {
	for _, c := range *h.carriers.Load() {
		settled := make(chan struct{})
		c.CarryUrgent(new(Cohort), settled)
		select {
		case <-settled:
		case <-ctx.Done():
			return
		}
	}
}

// Frame stands for a message that a carrier has written once. The zero Frame is none.
type Frame uint64

// Cohort is the subscribers of one channel or pattern that one carrier serves.
type Cohort struct {
	carrier Carrier // immutable

	size atomic.Int32 // len(list), for those who may not wait for a walk

	mu sync.Mutex // held while the members are walked
	// Guarded by mu.
	roll
}

// parcel is one publication on its way to carriers.
type parcel struct {
	// Immutable.
	hub         *Hub
	ns          *realtime.Namespace
	publication *realtime.Publication
	protocols   []Encoder
	pattern     bool

	mu sync.Mutex
	// Guarded by mu.
	encoded [ProtocolsMax][]byte
}

// presenceParcel is one presence change on its way to carriers.
type presenceParcel struct {
	mu sync.Mutex
	// Guarded by mu.
	presenceFanout
	ns *realtime.Namespace // immutable
}

// carry hands a publication to every carrier that serves members. It reports how many were too far behind.
func (m *members) carry(f *fanout, h *Hub) (behind int) {
	if len(m.cohorts) == 0 {
		return 0
	}
	p := &parcel{hub: h, ns: f.ns, publication: f.publication, protocols: f.protocols, pattern: f.pattern, encoded: f.encoded}
	bytes := len(f.publication.Payload.Bytes)
	for _, c := range m.cohorts {
		if !c.carrier.Carry(c, p, bytes) {
			behind++
		}
	}
	return behind
}

// Run delivers on the carrier what was carried to it.
func (c *Cohort) Run(with any) {
	switch p := with.(type) {
	case *parcel:
		c.deliver(p)
	case *presenceParcel:
		c.deliverPresence(p)
	case chan struct{}: // of Settle
		close(p)
	}
}

// deliver walks the members. All of one protocol share the bytes and, on this carrier, the frame.
func (c *Cohort) deliver(p *parcel) {
	var encoded [ProtocolsMax]Delivery
	skip := p.publication.SkipConnection
	passed, passedBytes := 0, 0
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.list {
		m := &c.list[i]
		d := &encoded[m.protocol]
		if d.Encoded == nil {
			*d = p.delivery(m.protocol, c.carrier)
		}
		if skip != "" && m.subscription.connection == skip {
			p.deliverMark(m)
			continue
		}
		if m.subscriber.DeliverPublication(*d) {
			passed++
			passedBytes += len(d.Encoded)
		}
	}
	p.hub.counters.deliveries.Add(int64(len(c.list)))
	if passed > 0 && p.hub.passed != nil {
		p.hub.passed(passed, passedBytes)
	}
}

func (p *parcel) delivery(protocol uint8, carrier Carrier) Delivery {
	d := Delivery{Namespace: p.ns, Publication: p.publication, Pattern: p.pattern, Encoded: p.encode(protocol)}
	d.Frame = carrier.Frame(p.protocols[protocol].Framing(), d.Encoded)
	return d
}

func (p *parcel) encode(protocol uint8) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.encoded[protocol] == nil {
		p.encoded[protocol] = p.protocols[protocol].EncodePublication(p.publication)
	}
	return p.encoded[protocol]
}

func (p *parcel) deliverMark(m *member) {
	if p.publication.Offset == 0 {
		return
	}
	mark := p.publication.Mark()
	m.subscriber.DeliverPublication(Delivery{
		Namespace: p.ns, Publication: mark, Encoded: p.protocols[m.protocol].EncodePublication(mark), Pattern: p.pattern,
	})
}

func (c *Cohort) deliverPresence(p *presenceParcel) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.list {
		m := &c.list[i]
		if mode := m.subscription.presence; mode != PresenceNone {
			m.subscriber.DeliverPresence(p.deliveryLocking(mode, m.protocol))
		}
	}
}

func (p *presenceParcel) deliveryLocking(mode PresenceMode, protocol uint8) PresenceDelivery {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.delivery(p.ns, mode, protocol)
}
