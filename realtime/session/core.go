package session

import (
	"time"

	"github.com/bellwire/bellwire/realtime"
)

// Config is shared by all sessions of a node and immutable. Every limit is positive.
type Config struct {
	Server       string // name and version, told to clients
	Node         string
	Ping, Pong   time.Duration
	MessageBytes int // told to clients (CNT-2)

	SubscriptionsMax int // SUB-15
	ChannelsMax      int // in one command
	CommandInterval  time.Duration
	CommandBurst     int
	QueueBytesMax    int // LIV-6
	QueueMessagesMax int
	ConnectTimeout   time.Duration // CON-5

	Window func() time.Duration // the present reconnect window (LIV-3); it must not wait

	Start time.Time // any instant before the first session; sessions count time from it
}

// phase is where a session stands.
type phase uint8

const (
	awaiting  phase = iota // the first command has to be connect (CON-4)
	admitting              // the token is being checked
	connected
	ended // nothing is taken or delivered any more; what is queued may still be sent
)

// Core is one session. See the package's documentation for how it is driven.
type Core struct {
	config   *Config
	protocol Protocol

	connection string // id, "" until connect
	user       string

	subscriptions []*Subscription // in the order of their names
	chores        []*Subscription // over, still in the hub or in presence
	revoked       []revocation    // to be ended when the task in flight is done

	queue   queue
	request progress
	replay  replay
	task    Task // in flight

	commands bucket
	faults   *faults
	dropped  int // messages that were not sent, since Dropped was last asked

	connectBy time.Duration // CON-5; 0: done
	expires   time.Duration // of the connection's token; 0: never
	verdict   verdict
	phase     phase
	listens   bool // the client says nothing after its connect
}

// verdict is why a session is over.
type verdict struct {
	code   realtime.Code
	reason string
}

// New returns a session whose client has said nothing yet. connection is its id (NAM-6).
func New(config *Config, protocol Protocol, connection string, now time.Time) *Core {
	c := &Core{config: config, protocol: protocol, connection: connection}
	c.connectBy = c.at(now) + config.ConnectTimeout
	return c
}

// ListenOnly says that the client can say nothing after its connect (EVT-6). It is called before anything else.
func (c *Core) ListenOnly() { c.listens = true }

// at is an instant as the core counts it: by the monotonic clock, where there is one.
func (c *Core) at(now time.Time) time.Duration { return now.Sub(c.config.Start) }

// Connection is the session's id.
func (c *Core) Connection() string { return c.connection }

// User is "" until the client has connected.
func (c *Core) User() string { return c.user }

// Busy reports whether a command is being carried out: the next one has to wait (MSG-4).
func (c *Core) Busy() bool { return c.request.command != nil && c.phase != ended }

// IsConnected reports whether the session serves its client.
func (c *Core) IsConnected() bool { return c.phase == connected }

// Receive takes the next command. It must not be called while Busy.
func (c *Core) Receive(r Request, now time.Time) {
	if c.phase == ended {
		return
	}
	at := c.at(now)
	if c.phase == awaiting && !isConnect(r) {
		c.End(realtime.CodeBadProtocol, "the first command was not connect") // CON-4
		return
	}
	if !c.commands.take(at, c.config.CommandInterval, c.config.CommandBurst) {
		c.refuse(r.ID, r.Name, realtime.NewError(realtime.CodeRateLimited, ""), at)
		return
	}
	if r.Err != nil {
		c.refuse(r.ID, r.Name, r.Err, at)
		return
	}
	if err := c.check(r.Command); err != nil {
		c.refuse(r.ID, r.Name, err, at)
		return
	}
	if _, isPing := r.Command.(*Ping); isPing {
		if r.ID != 0 { // MSG-3
			c.say(r.ID, &Pong{Time: now})
		}
		return
	}
	c.request = progress{id: r.ID, name: r.Name, command: r.Command}
}

// isConnect reports whether a request is meant as a connect, also one that is wrong: it is refused like any other.
func isConnect(r Request) bool {
	if r.Err != nil {
		return r.Name == "connect"
	}
	_, ok := r.Command.(*Connect)
	return ok
}

// check refuses what the session itself can know to be wrong.
func (c *Core) check(command Command) *realtime.Error {
	switch m := command.(type) {
	case *Connect:
		if c.phase != awaiting {
			return realtime.NewError(realtime.CodeAlreadyConnected, "") // CNT-4
		}
		return c.checkCount("subscribe", len(m.Subscribe))
	case *Subscribe:
		return c.checkCount("channels", len(m.Wishes))
	case *Unsubscribe:
		return c.checkCount("channels", len(m.Channels))
	case *Enter:
		return c.checkSubscribed(m.Channel) // PRE-1
	case *Refresh:
		if m.Channel != "" {
			return c.checkSubscribed(m.Channel)
		}
	}
	return nil
}

func (c *Core) checkCount(field string, n int) *realtime.Error {
	if n > c.config.ChannelsMax {
		return realtime.Errorf(realtime.CodeLimitExceeded, "%s names more than %d channels; send them in several commands", field, c.config.ChannelsMax)
	}
	return nil
}

func (c *Core) checkSubscribed(channel string) *realtime.Error {
	if c.subscription(channel) == nil {
		return realtime.NewError(realtime.CodeNotSubscribed, "")
	}
	return nil
}

// say queues a message that the client asked for, or that is rare.
func (c *Core) say(id uint32, m Message) {
	c.queue.push(item{bytes: c.protocol.Encode(id, m), messages: 1, asked: true})
}

// refuse queues an error and counts it (CON-7).
func (c *Core) refuse(id uint32, name string, err *realtime.Error, at time.Duration) {
	if c.faults == nil {
		c.faults = new(faults)
	}
	var flooding bool
	if err.Code == realtime.CodeRateLimited {
		flooding = c.faults.addRateLimited(at)
	} else {
		flooding = c.faults.add(at)
	}
	if flooding {
		c.End(realtime.CodeFlooding, "")
		return
	}
	c.say(id, &Failed{Command: name, Err: err})
}

// End ends the session (SRV-7). What is queued is still sent, but for a slow client, who would not read it. A standard
// WebSocket code needs no disconnect message. A second End does nothing.
func (c *Core) End(code realtime.Code, reason string) {
	if c.phase == ended {
		return
	}
	if reason == "" {
		reason = code.Name()
	}
	c.finish(code, reason)
	if code == realtime.CodeSlow {
		c.dropped += c.queue.remove(func(*item) bool { return true })
	}
	if code.Kind() != realtime.KindDisconnect {
		return
	}
	var window time.Duration
	if code.Retry() {
		window = c.config.Window()
	}
	c.say(0, &Disconnect{Code: code, Reason: reason, Window: window})
}

func (c *Core) finish(code realtime.Code, reason string) {
	c.phase, c.verdict = ended, verdict{code, reason}
	c.request, c.replay, c.revoked, c.chores = progress{}, replay{}, nil, nil
	for _, s := range c.subscriptions {
		s.stage, s.held = ending, nil
	}
}

// Ended tells why the session is over, once everything queued has been written: the line is to be closed.
func (c *Core) Ended() (code realtime.Code, reason string, ok bool) {
	return c.verdict.code, c.verdict.reason, c.phase == ended && c.queue.isEmpty() && !c.queue.isFlying()
}

// IsEnded reports whether nothing more is taken.
func (c *Core) IsEnded() bool { return c.phase == ended }

// Abandon ends a session whose line is gone: nothing is sent any more.
func (c *Core) Abandon() {
	if c.phase != ended {
		c.finish(realtime.CodeServerError, "the line is gone")
	}
	c.dropped += c.queue.remove(func(*item) bool { return true })
}

// Notify tells a new reconnect window (LIV-4).
func (c *Core) Notify(window time.Duration) {
	if c.phase == connected {
		c.say(0, &Notice{Window: window})
	}
}

// Outgoing takes what is to be written now, at most about bytesMax bytes, and appends it to dst. Nothing more may be
// taken until Written.
func (c *Core) Outgoing(dst [][]byte, bytesMax int) [][]byte {
	if c.queue.isFlying() {
		return dst
	}
	return c.queue.take(dst, bytesMax)
}

// Written says that what Outgoing gave has been handed to the system.
func (c *Core) Written() { c.queue.written() }

// HasOutgoing reports whether Outgoing would give something.
func (c *Core) HasOutgoing() bool { return !c.queue.isEmpty() && !c.queue.isFlying() }

// QueueLoad is what waits to be written, the batch that is being written included.
func (c *Core) QueueLoad() (bytes, messages int) {
	q := &c.queue
	return q.live.bytes + q.asked.bytes + q.flying.bytes, q.live.messages + q.asked.messages + q.flying.messages
}

// Dropped returns how many messages were not sent since it was last asked.
func (c *Core) Dropped() int {
	n := c.dropped
	c.dropped = 0
	return n
}

// Deadline is when Tick has something to do; ok is false when never.
func (c *Core) Deadline() (deadline time.Time, ok bool) {
	if c.phase == ended {
		return time.Time{}, false
	}
	at := c.connectBy
	at = earlier(at, withGrace(c.expires))
	for _, s := range c.subscriptions {
		at = earlier(at, withGrace(s.expires))
	}
	return c.config.Start.Add(at), at != 0
}

// withGrace is when something that expires ends (REF-2); 0 stays never.
func withGrace(expires time.Duration) time.Duration {
	if expires == 0 {
		return 0
	}
	return expires + refreshGrace
}

// earlier takes 0 as never.
func earlier(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// Tick does what is due.
func (c *Core) Tick(now time.Time) {
	at := c.at(now)
	if c.phase == ended {
		return
	}
	if c.connectBy != 0 && at >= c.connectBy {
		c.End(realtime.CodeConnectTimeout, "") // CON-5
		return
	}
	if c.expires != 0 && at >= withGrace(c.expires) {
		c.End(realtime.CodeExpired, "")
		return
	}
	for n := len(c.subscriptions) - 1; n >= 0; n-- {
		s := c.subscriptions[n]
		if s.stage == live && s.expires != 0 && at >= withGrace(s.expires) {
			c.endSubscription(s, realtime.CodeSubscriptionTokenExpired, "")
		}
	}
}
