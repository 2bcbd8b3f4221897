package core

import (
	"math"

	"github.com/bellwire/bellwire/protocol/native/wire"
	"github.com/bellwire/bellwire/realtime"
)

// never is the time of what is not planned.
const never = math.MaxInt64

// Core is the state machine. Every input comes with the present time in milliseconds; after each the owner takes Drain
// and asks for the Deadline.
type Core struct {
	options Options // immutable after New

	outputs []Output
	state   State
	online  bool

	line     line
	lines    int   // number of the newest line
	failures int   // failed attempts in a row
	urlIndex int   // of the next attempt
	retryAt  int64 // in Waiting
	windowMS int64

	commandID    uint32 // newest
	messageBytes int    // the largest message the server takes

	token       token
	fetching    bool            // the token source is asked
	fetchingFor map[string]bool // channels whose source is asked

	subscriptions map[string]*subscription // those the application wanted, also ended ones
	order         []*subscription          // the same, in the order in which they were asked for
	leaving       []string                 // unsubscribed by the application and served on the present line

	commands commands
}

// New returns a core in Idle.
func New(options Options) *Core {
	return &Core{
		options:       options.withDefaults(),
		state:         Idle,
		online:        true,
		line:          noLine(),
		retryAt:       never,
		windowMS:      windowMS,
		messageBytes:  messageBytes,
		token:         newToken(options.Token),
		fetchingFor:   make(map[string]bool),
		subscriptions: make(map[string]*subscription),
		commands:      newCommands(),
	}
}

// State is the present state of the connection.
func (c *Core) State() State { return c.state }

// Drain hands over what was put out since the last call. The slice belongs to the core and is used again.
func (c *Core) Drain() []Output {
	outputs := c.outputs
	c.outputs = c.outputs[:0]
	return outputs
}

// Deadline is when Tick is wanted next, if at all.
func (c *Core) Deadline() (atMS int64, ok bool) {
	at := int64(never)
	switch c.state {
	case Connecting:
		at = c.line.timeoutAt
	case Waiting:
		at = c.retryAt
	case Connected:
		at = min(c.line.livenessAt(), c.token.refreshAt, c.sendAt())
		for _, s := range c.order {
			at = min(at, s.retryAt, s.token.refreshAt)
		}
	}
	return at, at != never
}

// Connect asks for a connection (CLI-1).
func (c *Core) Connect(now int64) {
	switch c.state {
	case Idle, Closed:
		c.failures = 0
		c.begin(now)
	case Waiting:
		c.begin(now)
	}
}

// Close ends everything (CLI-1).
func (c *Core) Close(now int64) {
	if c.state == Closed {
		return
	}
	c.closed(1000, StateChange{State: Closed})
}

// Network tells that the machine's network went or came (CLI-8).
func (c *Core) Network(now int64, online bool) {
	wasOnline := c.online
	c.online = online
	switch {
	case online:
		c.retryQuickly(now)
	case !wasOnline:
	case c.state == Connecting || c.state == Connected:
		c.giveUp(now, ReasonOffline)
	case c.state == Waiting:
		c.wait(now+offlineRetryMS, StateChange{Reason: ReasonOffline})
	}
}

// Woke tells that the machine or page slept, or may have (CLI-9).
func (c *Core) Woke(now int64) {
	switch {
	case c.state == Connected && now-c.line.receivedAt > c.line.pingMS+c.line.pongMS:
		c.giveUp(now, ReasonAsleep)
	case c.online:
		c.retryQuickly(now)
	}
}

// Tick does what is due.
func (c *Core) Tick(now int64) {
	switch c.state {
	case Connecting:
		if now >= c.line.timeoutAt {
			// CLI-2
			c.endLine(now, realtime.CodeConnectTimeout, StateChange{Reason: ReasonTimeout})
		}
	case Waiting:
		if now >= c.retryAt {
			c.begin(now)
		}
	case Connected:
		c.tickConnected(now)
	}
	c.flush(now)
}

func (c *Core) tickConnected(now int64) {
	if now >= c.line.pongAt {
		// LIV-2
		c.endLine(now, realtime.CodeNoPong, StateChange{Reason: ReasonNoPong})
		return
	}
	if c.token.due(now) {
		c.fetchToken()
	}
	for _, s := range c.order {
		c.tickSubscription(now, s)
	}
	if now >= c.line.livenessAt() {
		c.send(now, &command{kind: kindPing, command: &wire.Ping{}})
		c.line.pongAt = now + c.line.pongMS
	}
}

// Received takes one message of a line.
func (c *Core) Received(now int64, line int, message *wire.ServerMessage) {
	if line != c.line.number || c.line.phase < phaseGreeting {
		return
	}
	c.line.receivedAt = now
	c.line.pongAt = never
	c.receive(now, message)
	c.flush(now)
}

func (c *Core) receive(now int64, message *wire.ServerMessage) {
	if body, ok := message.Body.(*wire.Disconnect); ok {
		c.receiveDisconnect(now, body)
		return
	}
	if message.ID != 0 {
		c.receiveReply(now, message)
		return
	}
	if c.line.phase != phaseLive {
		return // Nothing but the end comes before the answer to connect (MSG-4).
	}
	switch body := message.Body.(type) {
	case *wire.Notice:
		if c.window(body.Reconnect) {
			c.put(&Notice{WindowMS: c.windowMS})
		}
	case *wire.Error:
		c.put(&ServerError{Error: *body})
	case *wire.Publication:
		c.receivePublication(body)
	case *wire.Subscribed:
		c.receiveSubscribed(now, body)
	case *wire.PresenceChange:
		c.receivePresence(body)
	case *wire.Unsubscribed:
		c.receiveUnsubscribed(now, body)
	}
}

func (c *Core) put(output Output) { c.outputs = append(c.outputs, output) }

// window takes what the server says about the reconnect window and reports whether it said something (LIV-3).
func (c *Core) window(reconnect *wire.Reconnect) bool {
	if reconnect == nil || reconnect.WindowMS == 0 {
		return false
	}
	c.windowMS = int64(min(reconnect.WindowMS, windowMaxMS))
	return true
}

// draw is a time drawn uniformly below cap.
func (c *Core) draw(capMS int64) int64 { return int64(c.options.Random() * float64(capMS)) }

// backoff is the cap of full jitter after so many failures in a row (LIV-3).
func backoff(failures int) int64 {
	return min(backoffMaxMS, int64(backoffFirstMS)<<min(max(failures-1, 0), 30))
}
