package session

import (
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/hub"
)

// DeliverPublication takes what the hub has for a subscription. ready says that the line takes
// more at once. When nothing waits before it either, the publication is not queued and pass is true: the driver sends
// it now, before anything else of this session.
func (c *Core) DeliverPublication(s *Subscription, d hub.Delivery, ready bool) (pass bool) {
	if c.phase != connected {
		return false
	}
	switch s.stage {
	case joining:
		c.hold(s, d)
	case live:
		return c.deliver(s, &d, ready)
	}
	return false
}

// deliver passes or queues a publication of a live subscription.
func (c *Core) deliver(s *Subscription, d *hub.Delivery, ready bool) (pass bool) {
	p := d.Publication
	if p.Offset != 0 {
		switch {
		case p.Epoch == s.epoch && p.Offset <= s.offset:
			return false // SUB-9, POS-5: it was replayed
		case p.Epoch != s.epoch || p.Prev > s.offset:
			c.endSubscription(s, realtime.CodeInsufficient, "an entry of the channel did not come")
			return false
		}
	}
	if ready && c.queue.isEmpty() && !c.queue.isFlying() {
		if p.Offset != 0 {
			s.offset = p.Offset
		}
		return true
	}
	i := item{bytes: d.Encoded, messages: 1, subscription: s, publication: p}
	if !c.fits(&i) && !c.yield(s, d.Namespace, &i) {
		return false
	}
	if p.Offset != 0 {
		s.offset = p.Offset
	}
	c.queue.push(i)
	return false
}

func (c *Core) fits(i *item) bool {
	return c.queue.live.fits(len(i.bytes), c.config.QueueBytesMax, c.config.QueueMessagesMax)
}

// yield applies the namespace's policy to a full queue (LIV-6) and reports whether the item may be queued after all.
func (c *Core) yield(s *Subscription, ns *realtime.Namespace, i *item) bool {
	switch {
	case ns.Slow == realtime.SlowNewest && !ns.HasLog() && i.publication != nil:
		channel := i.publication.Channel
		c.dropped += c.queue.remove(func(old *item) bool {
			return old.subscription == s && old.publication != nil && old.publication.Channel == channel
		})
		if c.fits(i) {
			return true
		}
		c.dropped++
	case ns.Slow == realtime.SlowDisconnect:
		c.End(realtime.CodeSlow, "")
	default:
		c.dropped++
		c.endSubscription(s, realtime.CodeSlowSubscription, "")
	}
	return false
}

// hold keeps what comes while a subscription is joining. When that is too much, publications with a position are read
// from the log later; others are lost, which their channel allows (POS-4).
func (c *Core) hold(s *Subscription, d hub.Delivery) {
	h := s.held
	isLogged := d.Publication.Offset != 0
	if h.lost && isLogged {
		return
	}
	total := load{c.queue.live.bytes + h.load.bytes, c.queue.live.messages + h.load.messages}
	if total.fits(len(d.Encoded), c.config.QueueBytesMax, c.config.QueueMessagesMax) {
		h.items = append(h.items, d)
		h.load.bytes += len(d.Encoded)
		h.load.messages++
		return
	}
	h.lost = h.lost || isLogged
	c.dropped += 1 + len(h.items)
	h.items, h.load = nil, load{}
}

// DeliverPresence takes a change of presence that the hub has for a subscription.
func (c *Core) DeliverPresence(s *Subscription, d hub.PresenceDelivery) {
	if c.phase != connected || s.mode == hub.PresenceNone || d.Change.Version <= s.presence {
		return
	}
	switch s.stage {
	case joining:
		s.held.holdPresence(d)
	case live:
		c.deliverPresence(s, d)
	}
}

func (c *Core) deliverPresence(s *Subscription, d hub.PresenceDelivery) {
	i := item{bytes: d.Encoded, messages: 1, subscription: s}
	if c.fits(&i) || c.yield(s, d.Namespace, &i) {
		s.presence = d.Change.Version
		c.queue.push(i)
	}
}

// heldPresenceMax is much: changes come at most ten times a second (SRV-4), and joining takes less than that.
const heldPresenceMax = 256

func (h *held) holdPresence(d hub.PresenceDelivery) {
	if len(h.presence) == heldPresenceMax {
		h.presenceLost = true
		return
	}
	h.presence = append(h.presence, d)
}
