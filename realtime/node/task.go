package node

import (
	"context"
	"errors"
	"time"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/authority"
	"github.com/bellwire/bellwire/realtime/broker"
	"github.com/bellwire/bellwire/realtime/hub"
	"github.com/bellwire/bellwire/realtime/session"
)

// do carries out a task, without a lock, tells the core its result, and returns what is next. Every path by which a client reaches data begins
// here. The clock is read once, when it is done: what follows begins then.
func (c *Connection) do(task session.Task, began time.Time) (next step, ended time.Time) {
	ctx, cancel := c.node.withinBackend()
	defer cancel()
	switch t := task.(type) {
	case *session.Admit:
		admitted, err := c.admit(t.Connect, began)
		ended = c.node.done("connect", err, began)
		next = c.finish(ended, func(core *session.Core) { core.FinishAdmit(admitted, err, ended) })
	case *session.Join:
		joined, err := c.join(ctx, t, began)
		ended = c.node.done("subscribe", err, began)
		next = c.finish(ended, func(core *session.Core) { core.FinishJoin(joined, err, ended) })
	case *session.Resume:
		resumption, err := c.resume(ctx, t)
		ended = c.node.config.Clock.Now()
		next = c.finish(ended, func(core *session.Core) { core.FinishResume(resumption, err) })
	case *session.Part:
		c.part(t.Subscription)
		ended = c.node.done("unsubscribe", nil, began)
		next = c.finish(ended, func(core *session.Core) { core.FinishPart() })
	case *session.Do:
		message, err := c.guarded(ctx, t)
		ended = c.node.done(commandName(t.Command), err, began)
		next = c.finish(ended, func(core *session.Core) { core.FinishDo(message, err, ended) })
	}
	return next, ended
}

// done counts a command that has been carried out.
func (n *Node) done(command string, err error, began time.Time) (ended time.Time) {
	ended = n.config.Clock.Now()
	n.countCommand(command, err, ended.Sub(began))
	return ended
}

// finish gives the result of a task to the core.
func (c *Connection) finish(now time.Time, with func(core *session.Core)) step {
	c.mu.Lock()
	defer c.unlock("finish")
	with(c.core)
	c.watchLocked()
	return c.nextLocked(now)
}

// guarded turns a panic below, for example of a handler, into the command's failure.
func (c *Connection) guarded(ctx context.Context, t *session.Do) (message session.Message, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			c.node.panicked("command", cause)
			message, err = nil, realtime.NewError(realtime.CodeInternal, "")
		}
	}()
	message, err = c.command(ctx, t)
	return message, c.node.told(ctx, err)
}

// told is what a client is told of an error: nothing but those that are meant for it. The others are logged here, once.
func (n *Node) told(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var e *realtime.Error
	switch {
	case errors.As(err, &e):
		return err
	case ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded):
		n.config.Logger.Warn("the backend did not answer in time", "error", err)
		return realtime.NewError(realtime.CodeTimeout, "")
	}
	n.config.Logger.Error("a command failed", "error", err)
	return realtime.NewError(realtime.CodeInternal, "")
}

// admit checks the token of a connect (CNT-5).
func (c *Connection) admit(m *session.Connect, now time.Time) (session.Admitted, error) {
	n := c.node
	claims, err := c.verify(m.Token, now)
	if err != nil {
		n.config.Logger.Info("token refused", "connection", c.ID(), "remote", c.remoteAddr, "reason", err)
		if errors.Is(err, authority.ErrExpired) {
			return session.Admitted{}, realtime.NewError(realtime.CodeExpired, "")
		}
		if n.config.TokenRefused != nil {
			n.config.TokenRefused(c.remoteAddr)
		}
		return session.Admitted{}, realtime.NewError(realtime.CodeInvalidToken, "")
	}
	connect := realtime.User
	if n.config.AllowAnonymous {
		connect = realtime.Anyone
	}
	request := authority.Request{Action: authority.ActionConnect}
	if authority.Decide(authority.Subject{Claims: &claims}, authority.Rules{Connect: connect}, request) != nil {
		return session.Admitted{}, realtime.NewError(realtime.CodeForbidden, "")
	}
	c.setClaims(&claims)
	n.index.name(c, claims.User)
	return session.Admitted{User: claims.User, Expires: until(claims.Expires, now), Window: n.admission.present()}, nil
}

// verify returns the claims of a connection token; without one, those of an anonymous connection (NAM-5).
func (c *Connection) verify(token string, now time.Time) (authority.Claims, error) {
	if token == "" {
		return authority.Claims{User: realtime.AnonymousPrefix + c.ID()}, nil
	}
	if c.node.config.Verifier == nil {
		return authority.Claims{}, errors.New("the server takes no tokens")
	}
	claims, err := c.node.config.Verifier.VerifyConnection(token, now)
	if err != nil {
		return authority.Claims{}, err
	}
	return claims, realtime.CheckUser(claims.User)
}

// until is how long something is still valid; 0: for ever. What ends now is over in a moment, not never.
func until(expires, now time.Time) time.Duration {
	if expires.IsZero() {
		return 0
	}
	return max(expires.Sub(now), time.Nanosecond)
}

func (c *Connection) setClaims(claims *authority.Claims) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.claims = claims
}

func (c *Connection) presentClaims() *authority.Claims {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.claims
}

// join puts a subscription into the hub first and asks the backend second: nothing falls between the two (SUB-2).
func (c *Connection) join(ctx context.Context, t *session.Join, now time.Time) (j session.Joined, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			c.node.panicked("subscribe", cause)
			err = realtime.NewError(realtime.CodeInternal, "")
		}
	}()
	ns, claims, err := c.mayJoin(t.Wish, now)
	if err != nil {
		return j, err
	}
	if claims != nil {
		j.Expires = until(claims.Expires, now)
	}
	if err := c.joinHub(t, claims); err != nil || realtime.IsPattern(t.Wish.Channel) {
		return j, err
	}
	return j, c.node.told(ctx, c.begin(ctx, ns, t.Wish, &j))
}

// mayJoin decides a wish as a whole (AUT-1, SUB-14).
func (c *Connection) mayJoin(w *session.Wish, now time.Time) (*realtime.Namespace, *authority.SubscriptionClaims, error) {
	var ns *realtime.Namespace
	var err error
	if !realtime.IsPattern(w.Channel) || hasColon(w.Channel) {
		if ns, err = c.node.namespace(w.Channel); err != nil {
			return nil, nil, err
		}
	}
	claims, err := c.subscriptionClaims(w.Token, w.Channel, now)
	if err != nil {
		return nil, nil, err
	}
	var room [4]realtime.Action
	for _, action := range appendActions(room[:0], w) {
		if err := c.decide(ns, claims, authority.Request{Action: action, Channel: w.Channel}); err != nil {
			return nil, nil, err
		}
	}
	if ns == nil {
		return nil, claims, nil
	}
	return ns, claims, checkFacets(ns, w)
}

// appendActions adds what a wish needs permission for. To subscribe includes what the log holds after a position.
func appendActions(actions []realtime.Action, w *session.Wish) []realtime.Action {
	actions = append(actions, realtime.ActionSubscribe)
	if w.Snapshot {
		actions = append(actions, realtime.ActionState)
	}
	if w.Presence != hub.PresenceNone {
		actions = append(actions, realtime.ActionPresence)
	}
	if !w.Enter.IsNone() {
		actions = append(actions, realtime.ActionEnter)
	}
	return actions
}

func checkFacets(ns *realtime.Namespace, w *session.Wish) error {
	switch {
	case w.Snapshot && !ns.State:
		return notAvailable("state")
	case w.Rewind > 0 && !ns.History:
		return notAvailable("history")
	case w.Since != nil && !ns.HasLog():
		return notAvailable("log")
	case (w.Presence != hub.PresenceNone || !w.Enter.IsNone()) && !ns.Presence:
		return notAvailable("presence")
	}
	return checkPresencePayload(w.Enter)
}

func notAvailable(facet string) error {
	return realtime.NewError(realtime.CodeNotAvailable, "channels of this namespace have no "+facet)
}

func (c *Connection) joinHub(t *session.Join, claims *authority.SubscriptionClaims) error {
	if m, ok := t.Subscription.Handle.(*member); ok {
		m.claims = claims
		c.node.hub.SetPresence(m.subscription, t.Wish.Presence)
		return nil
	}
	m := &member{connection: c, core: t.Subscription, claims: claims}
	options := hub.Options{Encoder: c.protocol, Connection: c.ID(), Presence: t.Wish.Presence}
	if c.carried != nil {
		options.Carrier = c.carried.Carrier()
	}
	subscription, err := c.node.hub.Join(m, t.Wish.Channel, options)
	if err != nil {
		return err
	}
	m.subscription = subscription
	t.Subscription.Handle = m
	return nil
}

// begin asks the backend where the stream begins.
func (c *Connection) begin(ctx context.Context, ns *realtime.Namespace, w *session.Wish, j *session.Joined) (err error) {
	backend := c.node.backend
	if !w.Enter.IsNone() {
		if err := backend.Enter(ctx, ns, w.Channel, c.entrant(w.Enter)); err != nil {
			return err
		}
		j.Entered = true
	}
	if ns.HasLog() {
		query := broker.ResumeQuery{Since: w.Since, Rewind: w.Rewind, Snapshot: w.Snapshot}
		if j.Resumption, err = backend.Resume(ctx, ns, w.Channel, query); err != nil {
			return err
		}
	}
	if w.Presence == hub.PresenceNone {
		return nil
	}
	query := broker.PresenceQuery{CountOnly: w.Presence == hub.PresenceCount, Limit: limitMax}
	page, err := backend.Presence(ctx, ns, w.Channel, query)
	j.Presence = &page
	return err
}

func (c *Connection) entrant(payload realtime.Payload) broker.Entrant {
	claims := c.presentClaims()
	return broker.Entrant{User: claims.User, Connection: c.ID(), Info: claims.Info, Payload: payload}
}

func (c *Connection) resume(ctx context.Context, t *session.Resume) (broker.Resumption, error) {
	ns, err := c.node.namespace(t.Subscription.Channel())
	if err != nil {
		return broker.Resumption{}, err
	}
	r, err := c.node.backend.Resume(ctx, ns, t.Subscription.Channel(), broker.ResumeQuery{Since: &t.Since})
	return r, c.node.told(ctx, err)
}

// part takes a subscription out of the hub and of presence (UNS-2).
func (c *Connection) part(s *session.Subscription) {
	m, entered := c.holdings(s)
	if m != nil {
		c.node.hub.Leave(m.subscription)
	}
	if entered {
		c.leavePresence(s.Channel())
	}
}

// holdings is what a subscription has to give back.
func (c *Connection) holdings(s *session.Subscription) (m *member, entered bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m, _ = s.Handle.(*member)
	return m, s.Entered()
}

// leavePresence cannot be refused. When the backend fails, it is the backend's business to let the member go.
func (c *Connection) leavePresence(channel string) {
	n := c.node
	ns, err := n.namespace(channel)
	claims := c.presentClaims()
	if err != nil || claims == nil {
		return
	}
	ctx, cancel := n.withinBackend()
	defer cancel()
	if err := n.backend.Leave(ctx, ns, channel, claims.User, c.ID()); err != nil {
		n.config.Logger.Warn("leaving the presence of a channel", "connection", c.ID(), "error", err)
	}
}
