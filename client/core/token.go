package core

import (
	"github.com/bellwire/bellwire/protocol/native/wire"
	"github.com/bellwire/bellwire/realtime"
)

// A token is that of the connection or of a subscription, and when to renew it (CLI-3).
type token struct {
	value     string // held; "" when there is none
	renewing  bool   // the next one is for refresh
	failures  int    // of renewing it, in a row
	refreshAt int64  // when the source is asked for the next one, while this one serves
}

func newToken(value string) token { return token{value: value, refreshAt: never} }

// accepted takes the server's word how long the token is good for; 0: it does not expire.
func (t *token) accepted(now int64, expiresMS uint64, hasSource bool) {
	t.failures = 0
	t.renewing = false
	t.refreshAt = never
	if expiresMS == 0 || !hasSource {
		return
	}
	left := int64(min(expiresMS, realtime.OffsetMax))
	t.refreshAt = now + max(left-refreshEarlyMS, left/2)
}

// due reports whether it is time to ask; true counts as asked.
func (t *token) due(now int64) bool {
	if now < t.refreshAt {
		return false
	}
	t.refreshAt = never
	t.renewing = true
	return true
}

// lineEnded: nothing is renewed without a line.
func (t *token) lineEnded() {
	t.renewing = false
	t.refreshAt = never
}

// renewalFailed plans the next request; the present token still serves.
func (t *token) renewalFailed(c *Core, now int64) {
	t.renewing = false
	t.failures++
	t.refreshAt = now + c.draw(backoff(t.failures))
}

func (c *Core) fetchToken() {
	if c.fetching {
		return // One request at a time (CLI-3).
	}
	c.fetching = true
	c.put(&FetchToken{})
}

// TokenReady answers FetchToken.
func (c *Core) TokenReady(now int64, value string) {
	c.fetching = false
	c.token.value = value
	switch {
	case c.state == Connecting && c.line.phase == phaseNone:
		c.open(now)
	case c.state == Connected && c.token.renewing:
		c.token.renewing = false
		c.send(now, &command{kind: kindRefresh, command: &wire.Refresh{Token: value}})
	}
}

// TokenFailed answers FetchToken: there is none now, or permanently.
func (c *Core) TokenFailed(now int64, permanent bool) {
	c.fetching = false
	switch {
	case c.state == Idle || c.state == Closed:
	case permanent:
		c.closed(1000, StateChange{State: Closed, Code: realtime.CodeInvalidToken})
	case c.state == Connecting && c.line.phase == phaseNone:
		c.endLine(now, 0, StateChange{Reason: ReasonToken})
	case c.token.renewing:
		c.token.renewalFailed(c, now)
	}
}

// receiveRefreshed takes the answer to refresh.
func (c *Core) receiveRefreshed(now int64, t *token, hasSource bool, body wire.Body) {
	switch body := body.(type) {
	case *wire.Refreshed:
		t.accepted(now, body.ExpiresMS, hasSource)
	case *wire.Error:
		if body.Code == realtime.CodeTokenExpired {
			t.value = ""
		}
		if body.Code == realtime.CodeTokenExpired || body.Code.Retry() {
			t.renewalFailed(c, now)
		}
	}
}

func (c *Core) fetchSubscriptionToken(channel string) {
	if c.fetchingFor[channel] {
		return
	}
	c.fetchingFor[channel] = true
	c.put(&FetchSubscriptionToken{Channel: channel})
}

// tokenMissing: it has somebody to ask, and cannot be sent before.
func (s *subscription) tokenMissing() bool { return s.options.TokenSource && s.token.value == "" }

// SubscriptionTokenReady answers FetchSubscriptionToken.
func (c *Core) SubscriptionTokenReady(now int64, channel, value string) {
	delete(c.fetchingFor, channel)
	if s := c.subscriptions[channel]; s != nil {
		s.token.value = value
		if c.state == Connected && s.token.renewing {
			s.token.renewing = false
			c.send(now, &command{kind: kindRefresh, channel: channel, command: &wire.Refresh{Token: value, Channel: channel}})
		}
	}
	c.flush(now)
}

// SubscriptionTokenFailed answers FetchSubscriptionToken.
func (c *Core) SubscriptionTokenFailed(now int64, channel string, permanent bool) {
	delete(c.fetchingFor, channel)
	s := c.subscriptions[channel]
	switch {
	case s == nil || !s.wanted():
	case permanent:
		c.endByClient(s, realtime.CodeUnauthorized)
	case s.token.renewing:
		s.token.renewalFailed(c, now)
	case s.tokenMissing():
		c.retryLater(now, s)
	}
	c.flush(now)
}
