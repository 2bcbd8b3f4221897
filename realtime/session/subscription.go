package session

import (
	"slices"
	"strings"
	"time"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/hub"
)

// stage is where a subscription stands.
type stage uint8

const (
	joining stage = iota + 1 // what is delivered is held until its subscribed and what it replays are queued
	live                     // what is delivered is queued
	ending                   // over for the client; the driver has still to leave the hub
)

// Subscription is one channel or pattern of a session. It belongs to its core.
type Subscription struct {
	// Handle is the driver's own, what it joined the hub with; nil: it has not.
	Handle any

	channel  string // or a pattern
	epoch    string
	offset   uint64 // the last one queued, or skipped on purpose
	presence uint64 // the last version told
	held     *held  // while joining
	expires  time.Duration
	stage    stage
	mode     hub.PresenceMode
	pattern  bool
	entered  bool
}

// Channel is the channel or pattern.
func (s *Subscription) Channel() string { return s.channel }

// Entered reports whether the driver has to leave the channel's presence.
func (s *Subscription) Entered() bool { return s.entered }

// held is what came for a subscription that is joining.
type held struct {
	items []hub.Delivery
	load  load
	lost  bool // publications were dropped: they are to be read from the log instead

	presence     []hub.PresenceDelivery
	presenceLost bool
}

// find returns the place of a channel among the subscriptions, which are in the order of their names.
func (c *Core) find(channel string) (place int, found bool) {
	return slices.BinarySearchFunc(c.subscriptions, channel, func(s *Subscription, channel string) int {
		return strings.Compare(s.channel, channel)
	})
}

// subscription returns nil when there is none that the client knows of.
func (c *Core) subscription(channel string) *Subscription {
	place, found := c.find(channel)
	if !found || c.subscriptions[place].stage == ending {
		return nil
	}
	return c.subscriptions[place]
}

func (c *Core) insert(channel string) *Subscription {
	place, _ := c.find(channel)
	s := &Subscription{channel: channel, pattern: realtime.IsPattern(channel), stage: joining, held: new(held)}
	c.subscriptions = slices.Insert(c.subscriptions, place, s)
	return s
}

func (c *Core) remove(s *Subscription) {
	s.stage, s.held = ending, nil
	if place, found := c.find(s.channel); found && c.subscriptions[place] == s {
		c.subscriptions = slices.Delete(c.subscriptions, place, place+1)
	}
	if len(c.subscriptions) == 0 {
		c.subscriptions = nil
	}
}

// conclude ends a subscription for the client. What is left is the driver's: see NextChore.
func (c *Core) conclude(s *Subscription) {
	s.stage, s.held, s.expires = ending, nil, 0
	if c.replay.subscription == s {
		c.replay = replay{}
	}
	c.dropped += c.queue.remove(func(i *item) bool { return i.subscription == s })
	if do, ok := c.task.(*Do); ok && do.Subscription == s {
		return // FinishDo goes on: the task may be making it a member
	}
	c.leave(s)
}

// leave has the driver take a subscription that is over out of the hub and of presence.
func (c *Core) leave(s *Subscription) {
	if s.Handle == nil && !s.entered {
		c.remove(s)
		return
	}
	c.chores = append(c.chores, s)
}

// endSubscription tells the client that a subscription is over (SRV-5). One that cannot subscribe again is told to come again, which
// is how it does (EVT-6).
func (c *Core) endSubscription(s *Subscription, code realtime.Code, reason string) {
	if reason == "" {
		reason = code.Name()
	}
	c.conclude(s)
	c.say(0, &Unsubscribed{Channel: s.channel, Code: code, Reason: reason})
	if c.listens && code.Retry() {
		c.End(realtime.CodeReconnect, reason)
	}
}

// Unsubscribe ends a subscription by the will of the server, and reports whether there was one.
func (c *Core) Unsubscribe(channel string, code realtime.Code, reason string) bool {
	s := c.subscription(channel)
	if s == nil || c.phase != connected {
		return false
	}
	if s.stage == joining && c.task != nil {
		c.revoked = append(c.revoked, revocation{s, code, reason}) // its Join is in flight; FinishJoin comes
		return true
	}
	c.endSubscription(s, code, reason)
	return true
}

type revocation struct {
	subscription *Subscription
	code         realtime.Code
	reason       string
}

// NextChore returns a subscription that is over and that the driver has to take out of the hub and of presence, and then
// to hand to FinishChore. ok is false when there is none.
func (c *Core) NextChore() (s *Subscription, ok bool) {
	if len(c.chores) == 0 {
		return nil, false
	}
	s = c.chores[0]
	c.chores = slices.Delete(c.chores, 0, 1)
	if len(c.chores) == 0 {
		c.chores = nil
	}
	return s, true
}

// FinishChore says that a subscription is in no hub and no presence any more.
func (c *Core) FinishChore(s *Subscription) {
	s.Handle, s.entered = nil, false
	c.remove(s)
}

// Subscriptions calls f for every subscription that the driver has to take out of the hub or of presence, also after the
// end of the session.
func (c *Core) Subscriptions(f func(*Subscription)) {
	for _, s := range c.subscriptions {
		f(s)
	}
}

// SubscriptionCount is how many there are.
func (c *Core) SubscriptionCount() int { return len(c.subscriptions) }

// HasChore reports whether NextChore would give one.
func (c *Core) HasChore() bool { return len(c.chores) > 0 }

// Subscription returns the client's subscription to a channel or pattern, or nil.
func (c *Core) Subscription(channel string) *Subscription { return c.subscription(channel) }

// IsPattern reports whether it is to a pattern.
func (s *Subscription) IsPattern() bool { return s.pattern }
