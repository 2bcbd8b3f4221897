package node

import (
	"errors"
	"sync"
	"time"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/authority"
	"github.com/bellwire/bellwire/realtime/hub"
	"github.com/bellwire/bellwire/realtime/session"
)

// Connection is one open line. It drives one session.
type Connection struct {
	// Immutable after Open.
	node       *Node
	transport  session.Transport
	carried    session.Carried // the transport, when a carrier serves it; nil: goroutines do
	protocol   session.Protocol
	remoteAddr string
	hello      *Hello // what Opened has still to do; nil: nothing

	// Of the index and the keeper, guarded by their locks.
	indexedUser    string
	keeperDeadline time.Time
	keeperIndex    int // -1: not in it

	work sync.Mutex // held while commands are carried out; taken before mu

	core *session.Core // immutable; called with mu held

	mu sync.Mutex
	// Guarded by mu.
	claims   *authority.Claims // nil: anonymous, or not yet connected
	deadline time.Time         // that the keeper knows
	watched  bool              // there is one
	waiter   chan struct{}     // closed when a command that waits may go on; nil: none waits
	working  bool              // a command is being carried out
	flushing bool              // somebody writes, or has been asked to; with a carrier also: the line is blocked
	choring  bool              // a goroutine is leaving ended subscriptions
	gone     bool              // the line is gone
	closing  bool              // the transport has been told to close
}

// ID is the connection's address (NAM-6).
func (c *Connection) ID() string { return c.core.Connection() }

// Standing says where the session is: connected; or ended, with a code that is not 0; or still before that.
func (c *Connection) Standing() (connected bool, code realtime.Code) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.core.IsEnded() {
		code, _, _ = c.core.Ended()
	}
	return c.core.IsConnected(), code
}

// unlock is deferred by everybody who takes the lock to call the core. It starts what the call has made necessary, and
// turns a panic into the end of this connection alone.
func (c *Connection) unlock(task string) {
	if cause := recover(); cause != nil {
		c.node.panicked(task, cause)
		c.core.Abandon()
	}
	c.startLocked()
	c.mu.Unlock()
}

func (c *Connection) startLocked() {
	if n := c.core.Dropped(); n > 0 {
		c.node.countDropped("queue", n)
	}
	if !c.flushing && (c.core.HasOutgoing() || c.core.IsEnded() && !c.closing) {
		c.flushing = true
		c.startFlush()
	}
	if c.core.HasChore() && !c.choring && !c.gone {
		c.choring = true
		c.node.group.Go("leave channel", c.doChores, nil)
	}
	if c.core.IsEnded() {
		c.wakeLocked()
	}
}

func (c *Connection) wakeLocked() {
	if c.waiter != nil {
		close(c.waiter)
		c.waiter = nil
	}
}

// watchDeadline tells the keeper when to tick.
func (c *Connection) watchDeadline() {
	c.mu.Lock()
	defer c.unlock("deadline")
	c.watchLocked()
}

func (c *Connection) watchLocked() {
	if c.gone {
		return
	}
	deadline, ok := c.core.Deadline()
	if ok == c.watched && deadline.Equal(c.deadline) {
		return // as after nearly every command: the keeper's lock is everybody's
	}
	c.watched, c.deadline = ok, deadline
	c.node.keeper.set(c, deadline, ok)
}

func (c *Connection) tick(now time.Time) {
	c.mu.Lock()
	defer c.unlock("tick")
	c.watched, c.deadline = false, time.Time{} // the keeper has let go of it
	c.core.Tick(now)
	c.watchLocked()
}

func (c *Connection) notify(window time.Duration) {
	c.mu.Lock()
	defer c.unlock("notify")
	c.core.Notify(window)
}

// end disconnects the client, with everything queued sent before.
func (c *Connection) end(code realtime.Code, reason string) {
	c.mu.Lock()
	defer c.unlock("end")
	c.core.End(code, reason)
}

func (c *Connection) unsubscribe(channel, reason string) bool {
	c.mu.Lock()
	defer c.unlock("unsubscribe")
	return c.core.Unsubscribe(channel, realtime.CodeUnsubscribed, reason)
}

// codeClosed is how a line that the peer closed properly is counted: RFC 6455 7.4.1, a normal closure.
const codeClosed realtime.Code = 1000

// Closed tells that the line is gone, with the cause for the log, nil when the peer closed it properly. When the cause is
// an *realtime.Error and the session had not ended the line itself, its code is the one the end is counted under. It
// leaves all channels and their presence. It may be called more than once; only the first call matters.
func (c *Connection) Closed(cause error) {
	code, working, first := c.lose()
	if !first {
		return
	}
	if code == 0 {
		code = codeOfCause(cause)
	}
	n := c.node
	n.index.remove(c)
	n.keeper.set(c, time.Time{}, false)
	n.admission.connected(n.index.count())
	n.config.Metrics.ConnectionClosed(c.transport.Name(), c.protocol.Name(), code)
	n.config.Logger.Debug("connection closed", "connection", c.ID(), "remote", c.remoteAddr, "code", code.Name(), "cause", cause)
	switch {
	case working: // who works for it leaves
	case n.immediate:
		c.leaveAll()
	default:
		n.group.Go("leave channels", c.leaveAll, nil)
	}
}

// codeOfCause is 0 when the line was just lost.
func codeOfCause(cause error) realtime.Code {
	var e *realtime.Error
	switch {
	case cause == nil:
		return codeClosed
	case errors.As(cause, &e):
		return e.Code
	}
	return 0
}

// lose makes the session's end known to everybody who works for it.
func (c *Connection) lose() (code realtime.Code, working, first bool) {
	c.mu.Lock()
	defer c.unlock("closed")
	if c.gone {
		return 0, false, false
	}
	c.gone, c.closing = true, true
	code, _, _ = c.core.Ended()
	c.core.Abandon()
	return code, c.working, true
}

// abandon closes the line without sending what is queued.
func (c *Connection) abandon(code realtime.Code) {
	c.transport.Close(code, code.Name())
	c.Closed(errEnded)
}

// leaveAll takes everything that is left of a gone connection out of the hub and of presence.
func (c *Connection) leaveAll() {
	for _, s := range c.leftovers() {
		c.leave(s)
	}
}

func (c *Connection) leftovers() (left []*session.Subscription) {
	c.mu.Lock()
	defer c.unlock("leftovers")
	c.core.Subscriptions(func(s *session.Subscription) { left = append(left, s) })
	return left
}

// doChores leaves the channels whose subscriptions have ended.
func (c *Connection) doChores() {
	for s := c.nextChore(); s != nil; s = c.nextChore() {
		c.leave(s)
	}
}

func (c *Connection) nextChore() *session.Subscription {
	c.mu.Lock()
	defer c.unlock("chore")
	s, ok := c.core.NextChore()
	if !ok {
		c.choring = false
		return nil
	}
	return s
}

// leave takes a subscription out of the hub and of presence, and lets a command that waits for that go on.
//
// When the line goes while a chore is being done, both come here for the same subscription: leaving twice is harmless.
func (c *Connection) leave(s *session.Subscription) {
	c.part(s)
	c.mu.Lock()
	defer c.unlock("left")
	c.core.FinishChore(s)
	c.wakeLocked()
}

// member is one subscription as the hub sees it.
type member struct {
	connection   *Connection
	core         *session.Subscription
	subscription *hub.Subscription
	claims       *authority.SubscriptionClaims // nil: no subscription token
}

// DeliverPublication implements hub.Subscriber. What the carrier has written already goes straight to a line on which
// nothing waits; everything else is queued.
func (m *member) DeliverPublication(d hub.Delivery) (passed bool) {
	c := m.connection
	c.mu.Lock()
	defer c.unlock("deliver")
	ready := d.Frame != 0 && c.carried.Ready()
	if !c.core.DeliverPublication(m.core, d, ready) {
		return false
	}
	c.carried.Pass(d.Frame)
	return true
}

// DeliverPresence implements hub.Subscriber.
func (m *member) DeliverPresence(d hub.PresenceDelivery) {
	c := m.connection
	c.mu.Lock()
	defer c.unlock("deliver presence")
	c.core.DeliverPresence(m.core, d)
}
