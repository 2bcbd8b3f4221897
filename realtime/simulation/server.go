package simulation

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/bellwire/bellwire/backend/memory"
	"github.com/bellwire/bellwire/protocol/native"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
	"github.com/bellwire/bellwire/realtime/hub"
	"github.com/bellwire/bellwire/realtime/session"
)

// Limits of the simulated sessions: small, so that they are met.
const (
	queueBytesMax    = 4 << 10
	queueMessagesMax = 24
	batchBytesMax    = 1 << 10
	pongTimeout      = 33 * time.Second // ping and pong together (LIV-1)
)

// server is one life of a node: what node.Node does with goroutines, in steps.
type server struct {
	world      *world
	hub        *hub.Hub
	backend    *memory.Backend
	namespaces map[string]*realtime.Namespace
	conns      []*conn
	config     session.Config
}

// lives makes the epoch of each life of the backend another one.
type lives struct{ n uint64 }

func (l *lives) Read(b []byte) (int, error) {
	clear(b)
	l.n++
	var tail [8]byte
	binary.BigEndian.PutUint64(tail[:], l.n)
	copy(b[max(len(b)-8, 0):], tail[:])
	return len(b), nil
}

func newServer(w *world) *server {
	s := &server{world: w, namespaces: namespaces()}
	s.config = session.Config{
		Server: "simulation", Node: "n", Ping: 25 * time.Second, Pong: 8 * time.Second, MessageBytes: 64 << 10,
		SubscriptionsMax: 16, ChannelsMax: 16, CommandInterval: 20 * time.Millisecond, CommandBurst: 100,
		QueueBytesMax: queueBytesMax, QueueMessagesMax: queueMessagesMax, ConnectTimeout: 10 * time.Second,
		Window: func() time.Duration { return time.Second }, Start: epochStart,
	}
	quiet := slog.New(slog.DiscardHandler)
	s.hub = hub.New(hub.Config{Clock: w, Logger: quiet})
	backend, err := memory.New(memory.Config{Sink: sink{s.hub, w.model}, Clock: w, Rand: &w.lives, Logger: quiet})
	if err != nil {
		panic(err) // the source of its randomness does not fail
	}
	s.backend = backend
	return s
}

func namespaces() map[string]*realtime.Namespace {
	allow := make(map[realtime.Action]realtime.Who)
	for _, action := range realtime.Actions {
		allow[action] = realtime.Anyone
	}
	room := &realtime.Namespace{
		Name: "room", History: true, HistoryEntriesMax: 60, HistoryAgeMax: 2 * time.Minute, HistoryBytesMax: 1 << 20,
		IdempotencyAgeMax: 5 * time.Minute, IdempotencyCountMax: 10_000, State: true, StateKeysMax: 100,
		StateBytesMax: 1 << 16, Presence: true, PresenceMembersMax: 100, PayloadBytesMax: 1 << 10, Allow: allow,
	}
	feed, wire := *room, *room
	feed.Name, feed.Slow, feed.State, feed.Presence = "feed", realtime.SlowDrop, false, false
	wire.Name, wire.Slow, wire.History, wire.State, wire.Presence = "wire", realtime.SlowNewest, false, false, false
	return map[string]*realtime.Namespace{"room": room, "feed": &feed, "wire": &wire}
}

func (s *server) namespace(channel string) *realtime.Namespace {
	return s.namespaces[realtime.NamespaceOf(channel)]
}

// conn is the server's end of a line.
type conn struct {
	server   *server
	line     *line
	core     *session.Core
	user     string
	requests []session.Request // decoded, not yet taken
	task     session.Task      // given out, not yet carried out
	inHub    bool              // the first half of a Join is done
	result   func()            // carried out, the core does not know yet
	left     *session.Subscription
	batch    bool          // a write is under way
	lastSeen time.Duration // when something came
	gone     bool
}

// member is a subscription as the hub sees it.
type member struct {
	conn         *conn
	core         *session.Subscription
	subscription *hub.Subscription
}

// DeliverPublication writes at once what the core passes, as a carrier does.
func (m *member) DeliverPublication(d hub.Delivery) (passed bool) {
	c := m.conn
	if passed = c.core.DeliverPublication(m.core, d, c.line.takesMore()); passed {
		c.server.world.met("pass")
		c.line.write([][]byte{d.Encoded})
	}
	return passed
}

func (m *member) DeliverPresence(d hub.PresenceDelivery) { m.conn.core.DeliverPresence(m.core, d) }

func (s *server) accept(l *line) *conn {
	s.world.connections++
	c := &conn{server: s, line: l, user: l.client.name, lastSeen: s.world.elapsed}
	c.core = session.New(&s.config, native.JSON, fmt.Sprintf("c%d", s.world.connections), s.world.Now())
	s.conns = append(s.conns, c)
	return c
}

// receive decodes one WebSocket message.
func (c *conn) receive(message []byte) {
	c.lastSeen = c.server.world.elapsed
	for rest := message; ; {
		var request session.Request
		var err error
		if request, rest, err = native.JSON.Next(rest, false); err != nil {
			c.server.world.model.fail("I15: a client's message is malformed: %q", message)
			return
		}
		if c.requests = append(c.requests, request); len(rest) == 0 {
			return
		}
	}
}

// work does one step of what the connection has to do, and reports whether there was one.
func (c *conn) work() bool {
	now := c.server.world.Now()
	if c.doChore() {
		return true
	}
	if c.result != nil {
		c.finish()
		return true
	}
	if c.task != nil {
		c.result = c.carryOut(c.task)
		return true
	}
	if c.core.Busy() {
		c.task = c.core.Next(now)
		return c.task != nil
	}
	if len(c.requests) == 0 || c.core.IsEnded() {
		return false
	}
	request := c.requests[0]
	c.requests = c.requests[1:]
	c.core.Receive(request, now)
	c.task = c.core.Next(now)
	return true
}

// doChore leaves what has ended, in two steps.
func (c *conn) doChore() bool {
	if c.left != nil {
		c.core.FinishChore(c.left)
		c.left = nil
		return true
	}
	s, ok := c.core.NextChore()
	if ok {
		c.leave(s)
		c.left = s
	}
	return ok
}

func (c *conn) finish() {
	result := c.result
	c.task, c.result = nil, nil
	result()
}

// carryOut does one step of a task, and returns what tells the core when that was the last.
func (c *conn) carryOut(task session.Task) (result func()) {
	switch t := task.(type) {
	case *session.Admit:
		return func() {
			c.core.FinishAdmit(session.Admitted{User: c.user, Window: time.Second}, nil, c.server.world.Now())
		}
	case *session.Join:
		if !c.inHub {
			c.joinHub(t)
			c.inHub = true
			return nil
		}
		c.inHub = false
		joined, err := c.join(t)
		return func() { c.core.FinishJoin(joined, err, c.server.world.Now()) }
	case *session.Resume:
		channel := t.Subscription.Channel()
		r, err := c.server.backend.Resume(context.Background(), c.server.namespace(channel), channel, broker.ResumeQuery{Since: &t.Since})
		c.server.world.met("reread")
		return func() { c.core.FinishResume(r, err) }
	case *session.Part:
		c.leave(t.Subscription)
		return c.core.FinishPart
	case *session.Do:
		message, err := c.command(t.Command)
		return func() { c.core.FinishDo(message, err, c.server.world.Now()) }
	}
	return func() {}
}

func (c *conn) joinHub(t *session.Join) {
	s, w := c.server, t.Wish
	if m, ok := t.Subscription.Handle.(*member); ok {
		s.hub.SetPresence(m.subscription, w.Presence)
		return
	}
	m := &member{conn: c, core: t.Subscription}
	var err error
	m.subscription, err = s.hub.Join(m, w.Channel, hub.Options{Encoder: native.JSON, Connection: c.core.Connection(), Presence: w.Presence})
	if err != nil {
		s.world.model.fail("joining the hub: %v", err)
		return
	}
	t.Subscription.Handle = m
}

func (c *conn) join(t *session.Join) (j session.Joined, err error) {
	s, w := c.server, t.Wish
	if t.Subscription.IsPattern() {
		return j, nil
	}
	ctx, ns := context.Background(), s.namespace(w.Channel)
	if !w.Enter.IsNone() {
		if err := s.backend.Enter(ctx, ns, w.Channel, broker.Entrant{User: c.user, Connection: c.core.Connection(), Payload: w.Enter}); err != nil {
			return j, err
		}
		j.Entered = true
	}
	if ns.HasLog() {
		if j.Resumption, err = s.backend.Resume(ctx, ns, w.Channel, broker.ResumeQuery{Since: w.Since, Rewind: w.Rewind, Snapshot: w.Snapshot}); err != nil {
			return j, err
		}
	}
	if w.Presence != hub.PresenceNone {
		page, err := s.backend.Presence(ctx, ns, w.Channel, broker.PresenceQuery{Limit: 1000, CountOnly: w.Presence == hub.PresenceCount})
		j.Presence = &page
		return j, err
	}
	return j, nil
}

func (c *conn) command(command session.Command) (session.Message, error) {
	ctx, s := context.Background(), c.server
	from := realtime.Publisher{User: c.user, Connection: c.core.Connection()}
	switch m := command.(type) {
	case *session.Publish:
		published, err := s.backend.Publish(ctx, s.namespace(m.Channel), broker.Draft{Channel: m.Channel, ID: m.ID, From: from, Payload: m.Payload})
		return &session.Published{Published: published}, err
	case *session.Update:
		update := m.Update
		update.From = from
		updated, err := s.backend.Update(ctx, s.namespace(update.Channel), update)
		return &session.Updated{Updated: updated}, err
	case *session.State:
		page, err := s.backend.State(ctx, s.namespace(m.Channel), m.Channel, m.Query)
		return &session.StatePage{StatePage: page}, err
	case *session.Presence:
		page, err := s.backend.Presence(ctx, s.namespace(m.Channel), m.Channel, m.Query)
		return &session.PresencePage{PresencePage: page}, err
	}
	return nil, realtime.NewError(realtime.CodeInternal, fmt.Sprintf("%T is not simulated", command))
}

func (c *conn) leave(s *session.Subscription) {
	if m, ok := s.Handle.(*member); ok {
		c.server.hub.Leave(m.subscription)
	}
	if s.Entered() {
		_ = c.server.backend.Leave(context.Background(), c.server.namespace(s.Channel()), s.Channel(), c.user, c.core.Connection())
	}
}

// lose is what Closed does in a node.
func (c *conn) lose() {
	if c.gone {
		return
	}
	c.gone = true
	c.core.Abandon()
	if c.result != nil {
		c.finish() // it may have made the client a member
	}
	c.task = nil
	c.leaveAll()
	if i := slices.Index(c.server.conns, c); i >= 0 {
		c.server.conns = slices.Delete(c.server.conns, i, i+1)
	}
}

func (c *conn) leaveAll() {
	var all []*session.Subscription
	c.core.Subscriptions(func(s *session.Subscription) { all = append(all, s) })
	for _, s := range all {
		c.leave(s)
		c.core.FinishChore(s)
	}
}

// tick does what is due by the clock.
func (s *server) tick(now time.Time) {
	s.hub.Tick(now)
	s.backend.Tick(now)
	for _, c := range slices.Clone(s.conns) {
		if deadline, ok := c.core.Deadline(); ok && !now.Before(deadline) {
			c.core.Tick(now)
		}
		if l := c.line; !l.lost && !l.hungUp && !l.stalled {
			c.lastSeen = s.world.elapsed // the server's pings are answered (LIV-1)
		}
		if s.world.elapsed-c.lastSeen > pongTimeout {
			s.world.met("no pong")
			c.core.End(realtime.CodeNoPong, "")
			c.line.breakOff()
			c.lose()
		}
	}
}
