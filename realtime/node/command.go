package node

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/authority"
	"github.com/bellwire/bellwire/realtime/broker"
	"github.com/bellwire/bellwire/realtime/session"
)

// command carries out every command that is not about subscriptions. Whether it may is decided in permit, before
// anything is asked of the backend.
func (c *Connection) command(ctx context.Context, t *session.Do) (session.Message, error) {
	switch m := t.Command.(type) {
	case *session.Publish:
		return c.publish(ctx, m)
	case *session.Update:
		return c.update(ctx, m)
	case *session.History:
		if err := c.permit(realtime.ActionHistory, m.Channel, ""); err != nil {
			return nil, err
		}
		page, err := c.node.History(ctx, m.Channel, m.Query)
		return &session.HistoryPage{HistoryPage: page}, err
	case *session.State:
		if err := c.permit(realtime.ActionState, m.Channel, ""); err != nil {
			return nil, err
		}
		page, err := c.node.State(ctx, m.Channel, m.Query)
		return &session.StatePage{StatePage: page}, err
	case *session.Presence:
		if err := c.permit(realtime.ActionPresence, m.Channel, ""); err != nil {
			return nil, err
		}
		page, err := c.node.Presence(ctx, m.Channel, m.Query)
		return &session.PresencePage{PresencePage: page}, err
	case *session.Enter:
		return c.enter(ctx, t, m)
	case *session.Leave:
		c.leaveIfEntered(t.Subscription)
		return &session.Done{Command: session.DoneLeave}, nil
	case *session.Call:
		return c.call(m)
	case *session.Refresh:
		return c.refresh(t, m)
	}
	return nil, realtime.NewError(realtime.CodeUnknownCommand, "")
}

// commandName is for metrics.
func commandName(command session.Command) string {
	switch command.(type) {
	case *session.Publish:
		return "publish"
	case *session.Update:
		return "update"
	case *session.History:
		return "history"
	case *session.State:
		return "state"
	case *session.Presence:
		return "presence"
	case *session.Enter:
		return "enter"
	case *session.Leave:
		return "leave"
	case *session.Call:
		return "call"
	case *session.Refresh:
		return "refresh"
	}
	return "other"
}

// permit decides a command on a channel. The subscription token of a subscription to it counts too (AUT-4).
func (c *Connection) permit(action realtime.Action, channel, key string) error {
	_, err := c.permitIn(action, channel, key)
	return err
}

// permitIn is permit, and returns the channel's settings.
func (c *Connection) permitIn(action realtime.Action, channel, key string) (*realtime.Namespace, error) {
	ns, err := c.node.channel(channel)
	if err != nil {
		return nil, err
	}
	return ns, c.decideFor(c.subject(channel), ns, authority.Request{Action: action, Channel: channel, Key: key})
}

// subject is who asks for something of a channel.
func (c *Connection) subject(channel string) authority.Subject {
	c.mu.Lock()
	defer c.mu.Unlock()
	return authority.Subject{Claims: c.claims, Subscription: c.vouchedLocked(channel)}
}

// vouchedLocked returns what the token of the connection's subscription to a channel says, nil when there is none that is
// still valid.
func (c *Connection) vouchedLocked(channel string) *authority.SubscriptionClaims {
	s := c.core.Subscription(channel)
	if s == nil {
		return nil
	}
	m, ok := s.Handle.(*member)
	if !ok || m.claims == nil || !m.claims.Expires.IsZero() && !c.node.config.Clock.Now().Before(m.claims.Expires) {
		return nil
	}
	return m.claims
}

// decide asks the one function that decides (AUT-1).
func (c *Connection) decide(ns *realtime.Namespace, token *authority.SubscriptionClaims, request authority.Request) error {
	return c.decideFor(authority.Subject{Claims: c.presentClaims(), Subscription: token}, ns, request)
}

func (c *Connection) decideFor(subject authority.Subject, ns *realtime.Namespace, request authority.Request) error {
	return authority.Decide(
		subject,
		authority.Rules{Namespace: ns, Everywhere: c.node.config.Everywhere, Call: c.node.config.Call},
		request,
	)
}

func (c *Connection) publisher() realtime.Publisher {
	return realtime.Publisher{User: c.presentClaims().User, Connection: c.ID()}
}

func (c *Connection) publish(ctx context.Context, m *session.Publish) (session.Message, error) {
	ns, err := c.permitIn(realtime.ActionPublish, m.Channel, "")
	if err != nil {
		return nil, err
	}
	draft := broker.Draft{Channel: m.Channel, ID: m.ID, From: c.publisher(), Payload: m.Payload}
	if m.NoEcho {
		draft.SkipConnection = c.ID() // PUB-2
	}
	published, err := c.node.publishIn(ctx, ns, draft)
	return &session.Published{Published: published}, err
}

func (c *Connection) update(ctx context.Context, m *session.Update) (session.Message, error) {
	if err := realtime.CheckKey(m.Update.Key); err != nil {
		return nil, err
	}
	if err := c.permit(realtime.ActionUpdate, m.Update.Channel, m.Update.Key); err != nil {
		return nil, err
	}
	update := m.Update
	update.From = c.publisher()
	updated, err := c.node.update(ctx, update)
	return &session.Updated{Updated: updated}, err
}

func (c *Connection) enter(ctx context.Context, t *session.Do, m *session.Enter) (session.Message, error) {
	if t.Subscription == nil { // it ended after the command was taken
		return nil, realtime.NewError(realtime.CodeNotSubscribed, "")
	}
	if err := c.permit(realtime.ActionEnter, m.Channel, ""); err != nil {
		return nil, err
	}
	ns, err := c.node.channel(m.Channel)
	if err != nil {
		return nil, err
	}
	if !ns.Presence {
		return nil, notAvailable("presence")
	}
	if err := checkPresencePayload(m.Payload); err != nil {
		return nil, err
	}
	err = c.node.backend.Enter(ctx, ns, m.Channel, c.entrant(m.Payload))
	return &session.Done{Command: session.DoneEnter}, err
}

// leaveIfEntered is PRE-2; leaving what one has not entered is no error.
func (c *Connection) leaveIfEntered(s *session.Subscription) {
	if s == nil {
		return
	}
	if _, entered := c.holdings(s); entered {
		c.leavePresence(s.Channel())
	}
}

// call hands a call to its handler (CAL-1), which has its own time.
func (c *Connection) call(m *session.Call) (session.Message, error) {
	if !isMethod(m.Method) {
		return nil, realtime.NewError(realtime.CodeBadRequest, "call.method has a character other than A-Z a-z 0-9 _ - .")
	}
	if err := c.decide(nil, nil, authority.Request{Action: authority.ActionCall}); err != nil {
		return nil, err
	}
	handler := c.node.handler(m.Method)
	if handler == nil {
		return nil, realtime.NewError(realtime.CodeUnknownMethod, "")
	}
	ctx, cancel := within(c.node.limits.CallTimeout)
	defer cancel()
	payload, err := handler(ctx, CallRequest{
		Method: m.Method, User: c.presentClaims().User, Connection: c.ID(), Payload: m.Payload,
	})
	return &session.Called{Payload: payload}, c.node.told(ctx, err)
}

// refresh replaces a token (REF-1).
func (c *Connection) refresh(t *session.Do, m *session.Refresh) (session.Message, error) {
	now := c.node.config.Clock.Now()
	if m.Channel != "" {
		if t.Subscription == nil {
			return nil, realtime.NewError(realtime.CodeNotSubscribed, "")
		}
		claims, err := c.subscriptionClaims(m.Token, m.Channel, now)
		if err != nil {
			return nil, err
		}
		if member, _ := c.holdings(t.Subscription); member != nil {
			c.setSubscriptionClaims(member, claims)
		}
		c.revokeLost()
		return &session.Refreshed{Expires: until(claims.Expires, now)}, nil
	}
	claims, err := c.verify(m.Token, now)
	if err != nil {
		return nil, refused(err)
	}
	if claims.User != c.presentClaims().User {
		return nil, realtime.NewError(realtime.CodePermissionDenied, "the token is another user's")
	}
	c.setClaims(&claims)
	c.revokeLost()
	return &session.Refreshed{Expires: until(claims.Expires, now)}, nil
}

func refused(err error) error {
	if errors.Is(err, authority.ErrExpired) {
		return realtime.NewError(realtime.CodeTokenExpired, "")
	}
	return realtime.NewError(realtime.CodeUnauthorized, "the token is not valid")
}

// subscriptionClaims checks a subscription token (AUT-4); nil without one.
func (c *Connection) subscriptionClaims(token, channel string, now time.Time) (*authority.SubscriptionClaims, error) {
	if token == "" {
		return nil, nil
	}
	if c.node.config.Verifier == nil {
		return nil, realtime.NewError(realtime.CodeUnauthorized, "the server takes no tokens")
	}
	claims, err := c.node.config.Verifier.VerifySubscription(token, now)
	if err != nil {
		c.node.config.Logger.Info("subscription token refused", "connection", c.ID(), "remote", c.remoteAddr, "reason", err)
		return nil, refused(err)
	}
	if claims.User != c.presentClaims().User {
		return nil, realtime.NewError(realtime.CodePermissionDenied, "the token is another user's")
	}
	if claims.Channel != channel {
		return nil, realtime.NewError(realtime.CodePermissionDenied, "the token is for another channel")
	}
	return &claims, nil
}

func (c *Connection) setSubscriptionClaims(m *member, claims *authority.SubscriptionClaims) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m.claims = claims
}

// revokeLost ends every subscription that the present tokens no longer allow (AUT-6).
func (c *Connection) revokeLost() {
	for _, channel := range c.channels() {
		var ns *realtime.Namespace
		if !realtime.IsPattern(channel) || hasColon(channel) {
			ns, _ = c.node.namespace(channel)
		}
		err := c.decideFor(c.subject(channel), ns, authority.Request{Action: realtime.ActionSubscribe, Channel: channel})
		if err != nil {
			c.revoke(channel)
		}
	}
}

func (c *Connection) channels() (channels []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.core.Subscriptions(func(s *session.Subscription) { channels = append(channels, s.Channel()) })
	return channels
}

func (c *Connection) revoke(channel string) {
	c.mu.Lock()
	defer c.unlock("revoke")
	c.core.Unsubscribe(channel, realtime.CodePermissionRevoked, "")
}

func hasColon(name string) bool { return strings.IndexByte(name, ':') >= 0 }

func isMethod(method string) bool {
	for i := 0; i < len(method); i++ {
		b := method[i]
		if !('a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b == '_' || b == '-' || b == '.') {
			return false
		}
	}
	return method != ""
}
