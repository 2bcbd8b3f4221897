package core

import (
	"slices"
	"strings"

	"github.com/bellwire/bellwire/protocol/native/wire"
	"github.com/bellwire/bellwire/realtime"
)

// SubscribeOptions are what the application asks of a subscription (5.2).
type SubscribeOptions struct {
	Since       *realtime.Position // used until a position is held
	Rewind      uint32
	State       bool
	Presence    wire.PresenceMode
	Enter       realtime.Payload // none: not a member
	Token       string           // of the subscription (AUT-4), or ""
	TokenSource bool             // FetchSubscriptionToken may be asked
}

// A subscription is a channel or pattern that the application wants, or wanted until the server ended it.
type subscription struct {
	channel string
	options SubscribeOptions
	enter   realtime.Payload // what it enters with, also after an enter or leave command (SUB-12)
	state   SubscriptionState
	token   token

	position realtime.Position // zero: none held
	top      uint64            // of the last answer (SUB-7)

	due        bool  // to be sent as soon as line and pace allow
	sent       bool  // a subscribe of it went out on the present line
	live       bool  // answered on the present line: publications are taken
	gap        bool  // but for those after a gap, until the next answer
	retryAt    int64 // when a failed one is due again
	failures   int   // in a row
	generation int   // grows with each answer, so that pages asked for before it are told apart

	entries  entries
	presence presence
}

func (s *subscription) wanted() bool { return s.state != Ended }

// matches reports whether a pattern takes publications of the channel now.
func (s *subscription) matches(channel string) bool {
	prefix, isPattern := strings.CutSuffix(s.channel, "*")
	return isPattern && s.live && strings.HasPrefix(channel, prefix)
}

// becomeDue makes it go out, again or for the first time.
func (s *subscription) becomeDue() {
	s.state = Subscribing
	s.due = true
	s.retryAt = never
}

// interrupt forgets what the server served. It stays wanted unless state is Ended.
func (s *subscription) interrupt(state SubscriptionState, retryAt int64) {
	s.state = state
	s.due = false
	s.sent = false
	s.live = false
	s.retryAt = retryAt
	s.token.lineEnded()
}

func (s *subscription) lineEnded() {
	if !s.wanted() {
		return
	}
	s.interrupt(Subscribing, never)
	s.becomeDue() // A new line takes all wanted ones at once.
}

// item is what stands for it in connect and subscribe (CLI-4).
func (s *subscription) item() wire.SubscribeItem {
	item := wire.SubscribeItem{
		Channel:  s.channel,
		State:    s.options.State,
		Presence: s.options.Presence,
		Enter:    s.enter,
		Token:    s.token.value,
	}
	switch {
	case !s.position.IsZero():
		position := s.position
		item.Since = &position
	case s.options.Since != nil:
		item.Since = s.options.Since
	default:
		item.Rewind = s.options.Rewind
	}
	return item
}

// SubscriptionView is what is held of a subscription. Maps and slices belong to the core.
type SubscriptionView struct {
	State    SubscriptionState
	Position realtime.Position
	Top      uint64
	Entries  map[string]realtime.Entry
	Members  map[string]realtime.Member
	Count    uint64 // of the presence
}

// Subscription shows what is held of a channel or pattern.
func (c *Core) Subscription(channel string) SubscriptionView {
	s := c.subscriptions[channel]
	if s == nil {
		return SubscriptionView{State: Unsubscribed}
	}
	return SubscriptionView{
		State:    s.state,
		Position: s.position,
		Top:      s.top,
		Entries:  s.entries.held,
		Members:  s.presence.members,
		Count:    s.presence.count,
	}
}

// Subscribe makes a channel or pattern wanted. For one that is wanted already, nil options change nothing, and others
// replace those it has.
func (c *Core) Subscribe(now int64, channel string, options *SubscribeOptions) {
	s := c.subscriptions[channel]
	if s != nil && s.wanted() && options == nil {
		return
	}
	if s == nil {
		s = newSubscription(channel)
		c.subscriptions[channel] = s
		c.order = append(c.order, s)
	}
	if options != nil {
		s.options = *options
		s.enter = options.Enter
		if options.Token != "" {
			s.token.value = options.Token
		}
	}
	c.leaving = slices.DeleteFunc(c.leaving, func(name string) bool { return name == channel })
	s.failures = 0
	s.becomeDue()
	c.flush(now)
}

func newSubscription(channel string) *subscription {
	return &subscription{
		channel:  channel,
		token:    newToken(""),
		retryAt:  never,
		entries:  newEntries(),
		presence: newPresence(),
	}
}

// Unsubscribe makes it unwanted and forgets what is held of it.
func (c *Core) Unsubscribe(now int64, channel string) {
	s := c.subscriptions[channel]
	if s == nil {
		return
	}
	c.leave(s)
	delete(c.subscriptions, channel)
	c.order = slices.DeleteFunc(c.order, func(other *subscription) bool { return other == s })
	c.flush(now)
}

// leave has the server told, where it serves the subscription on this line.
func (c *Core) leave(s *subscription) {
	if served := c.line.served[s.channel]; served != nil && served.wanted {
		c.leaving = append(c.leaving, s.channel)
	}
}

// receiveSubscribed takes an answer. Only the one to the last subscribe of the channel on this line counts (CLI-10).
func (c *Core) receiveSubscribed(now int64, answer *wire.Subscribed) {
	served := c.line.servedFor(answer.Channel)
	isLast := served.awaited == 1
	served.awaited = max(0, served.awaited-1)
	s := c.subscriptions[answer.Channel]
	if !isLast || s == nil || !s.sent {
		return
	}
	if answer.Error != nil {
		c.subscriptionOver(now, s, answer.Error.Code, answer.Error.Message)
		return
	}
	c.answered(now, s, answer)
}

func (c *Core) answered(now int64, s *subscription, answer *wire.Subscribed) {
	next := realtime.Position{}
	if answer.Epoch != "" {
		next = realtime.Position{Epoch: answer.Epoch, Offset: answer.Offset}
	}
	recovered := answer.Recovered != nil && *answer.Recovered
	missed := s.resume(next, recovered, answer.Missed)
	s.top = answer.Top
	s.failures = 0
	s.live = true
	s.gap = false
	if !s.due {
		s.state = Subscribed
	}
	s.generation++
	s.token.accepted(now, answer.ExpiresMS, s.options.TokenSource)
	c.put(&SubscriptionStarted{Channel: s.channel, Epoch: answer.Epoch, Offset: answer.Offset, Top: answer.Top, Recovered: answer.Recovered})
	if missed != nil {
		c.put(&Missed{Channel: s.channel, From: missed.From, To: missed.To})
	}
	statePage := c.answeredState(s, answer.State, recovered)
	presencePage := c.answeredPresence(s, answer.Presence)
	c.sendPage(now, s, statePage)
	c.sendPage(now, s, presencePage)
}

// resume takes the position of an answer, and returns what of its missed range is news. Publications may have been handed
// over while the answer was on its way: they are neither handed over again nor missed.
func (s *subscription) resume(next realtime.Position, recovered bool, missed *realtime.Missed) *realtime.Missed {
	held := s.position
	s.position = next
	comparable := held.Epoch == next.Epoch && (recovered || missed != nil && missed.To != 0)
	if !comparable {
		return missed
	}
	s.position.Offset = max(held.Offset, next.Offset)
	if missed == nil || missed.To <= held.Offset {
		return nil
	}
	return &realtime.Missed{From: max(missed.From, held.Offset+1), To: missed.To}
}

// receiveUnsubscribed takes the server's end of a subscription (SRV-5).
func (c *Core) receiveUnsubscribed(now int64, body *wire.Unsubscribed) {
	s := c.subscriptions[body.Channel]
	if s == nil || !s.sent || c.line.servedFor(body.Channel).awaited > 0 {
		return // It was left, or the answer on its way says more.
	}
	code := body.Code
	if code == 0 {
		code = realtime.CodeInsufficient
	}
	c.subscriptionOver(now, s, code, body.Reason)
}

// subscriptionOver: the server does not serve it, and the code says what follows (CLI-11).
func (c *Core) subscriptionOver(now int64, s *subscription, code realtime.Code, reason string) {
	c.line.servedFor(s.channel).wanted = false
	expired := code == realtime.CodeTokenExpired || code == realtime.CodeSubscriptionTokenExpired
	switch {
	case expired && s.options.TokenSource:
		c.subscriptionTokenExpired(now, s)
	case code.Retry():
		c.retryLater(now, s)
		c.put(&SubscriptionStopped{Channel: s.channel, Code: code, Reason: reason, Again: true, RetryAtMS: s.retryAt})
	default:
		// The position stays, for the application may ask again.
		s.interrupt(Ended, never)
		c.put(&SubscriptionStopped{Channel: s.channel, Code: code, Reason: reason})
	}
}

// retryLater plans to subscribe again after full jitter (CLI-11).
func (c *Core) retryLater(now int64, s *subscription) {
	s.failures++
	s.interrupt(Subscribing, now+c.draw(backoff(s.failures)))
}

// subscriptionTokenExpired has the source asked: at once for the first failure in a row, then after a draw.
func (c *Core) subscriptionTokenExpired(now int64, s *subscription) {
	s.token.value = ""
	s.failures++
	if s.failures == 1 {
		s.interrupt(Subscribing, never)
		s.becomeDue()
		return
	}
	s.interrupt(Subscribing, now+c.draw(backoff(s.failures-1)))
}

// endByClient ends a subscription by the client's own decision: the server is told, and so is the application.
func (c *Core) endByClient(s *subscription, code realtime.Code) {
	c.leave(s)
	s.interrupt(Ended, never)
	s.entries.clear()
	s.presence.clear()
	c.put(&SubscriptionStopped{Channel: s.channel, Code: code})
}

// tickSubscription does what is due for one subscription of a connected line.
func (c *Core) tickSubscription(now int64, s *subscription) {
	if s.token.due(now) {
		c.fetchSubscriptionToken(s.channel)
	}
	if now >= s.retryAt {
		s.becomeDue()
	}
}
