package modelserver

import (
	"fmt"
	"maps"
	"slices"

	"github.com/bellwire/bellwire/protocol/native/wire"
	"github.com/bellwire/bellwire/realtime"
)

// Server holds channels and connections. Its settings may be changed between messages.
type Server struct {
	// Session is what connect is answered with, but for connection and user.
	Session wire.Connected

	HistoryMax int // entries of a log
	PageMax    int // entries of a page of state or members
	Volatile   func(channel string) bool

	// Intercept sees each command before it is carried out, and may answer it instead.
	Intercept func(c *Conn, m *wire.ClientMessage) (handled bool)

	epochs      int
	connections int
	channels    map[string]*channel
	conns       []*Conn
}

// New returns a server without data.
func New() *Server {
	return &Server{
		Session:    wire.Connected{Server: "modelserver/1", PingMS: 25_000, PongMS: 8000, Reconnect: &wire.Reconnect{WindowMS: 1000}},
		HistoryMax: 1000,
		PageMax:    1000,
		Volatile:   func(string) bool { return false },
		channels:   make(map[string]*channel),
	}
}

// channel is one life of a channel.
type channel struct {
	name  string
	epoch string // "": without log
	log   []wire.Publication
	top   uint64
	ids   map[string]any // replies by publication id
	state map[string]realtime.Entry

	members         map[string]realtime.Member
	presenceVersion uint64
}

func (s *Server) channel(name string) *channel {
	ch := s.channels[name]
	if ch == nil {
		s.epochs++
		ch = &channel{name: name, ids: make(map[string]any), state: make(map[string]realtime.Entry), members: make(map[string]realtime.Member)}
		if !s.Volatile(name) {
			ch.epoch = fmt.Sprintf("e%d", s.epochs)
		}
		s.channels[name] = ch
	}
	return ch
}

// Log is what the channel's log holds.
func (s *Server) Log(name string) []wire.Publication { return s.channel(name).log }

// Top is the channel's newest position.
func (s *Server) Top(name string) realtime.Position {
	ch := s.channel(name)
	return realtime.Position{Epoch: ch.epoch, Offset: ch.top}
}

// State is the channel's state.
func (s *Server) State(name string) map[string]realtime.Entry { return s.channel(name).state }

// Members are the users present.
func (s *Server) Members(name string) map[string]realtime.Member { return s.channel(name).members }

// Publish publishes as the application's backend.
func (s *Server) Publish(name string, payload realtime.Payload) {
	s.append(s.channel(name), wire.Publication{Channel: name, Payload: payload}, nil)
}

// Change changes a key as the application's backend. A payload that is none removes it.
func (s *Server) Change(name, key string, value realtime.Payload) {
	change := &realtime.StateChange{Key: key, Value: value, Removed: value.IsNone()}
	s.append(s.channel(name), wire.Publication{Channel: name, State: change}, nil)
}

// append stores and delivers in one step (POS-5).
func (s *Server) append(ch *channel, p wire.Publication, skip *Conn) {
	if ch.epoch != "" {
		ch.top++
		p.Offset, p.Prev = ch.top, ch.top-1
		ch.log = append(ch.log, p)
		if len(ch.log) > s.HistoryMax {
			ch.log = ch.log[len(ch.log)-s.HistoryMax:]
		}
	}
	if p.State != nil {
		if p.State.Removed {
			delete(ch.state, p.State.Key)
		} else {
			ch.state[p.State.Key] = realtime.Entry{Key: p.State.Key, Value: p.State.Value, Version: p.Offset}
		}
	}
	for _, c := range s.conns {
		c.deliver(p, c == skip)
	}
}

// Restart forgets everything and drops all connections without a word.
func (s *Server) Restart() {
	s.channels = make(map[string]*channel)
	for _, c := range slices.Clone(s.conns) {
		c.Close()
	}
}

// Conn is one connection.
type Conn struct {
	ID   string
	User string

	server    *Server
	connected bool
	closed    bool
	subs      map[string]*wire.SubscribeItem
	out       []wire.ServerMessage
}

// Open takes a connection.
func (s *Server) Open() *Conn {
	s.connections++
	id := fmt.Sprintf("c%d", s.connections)
	c := &Conn{ID: id, User: "~" + id, server: s, subs: make(map[string]*wire.SubscribeItem)}
	s.conns = append(s.conns, c)
	return c
}

// Conns are the connections that are open.
func (s *Server) Conns() []*Conn { return s.conns }

// Close drops the connection: it leaves all presence.
func (c *Conn) Close() {
	if c.closed {
		return
	}
	c.closed = true
	c.server.conns = slices.DeleteFunc(c.server.conns, func(other *Conn) bool { return other == c })
	for name := range c.subs {
		c.leave(name)
	}
}

// Closed reports whether the server has dropped it.
func (c *Conn) Closed() bool { return c.closed }

// Subscriptions are the channels and patterns served, sorted.
func (c *Conn) Subscriptions() []string { return slices.Sorted(maps.Keys(c.subs)) }

// Item is what was asked for a subscription that is served, nil for others.
func (c *Conn) Item(name string) *wire.SubscribeItem { return c.subs[name] }

// Take returns what is to be sent, and forgets it.
func (c *Conn) Take() []wire.ServerMessage {
	out := c.out
	c.out = nil
	return out
}

// Push sends a message of the test's own.
func (c *Conn) Push(body wire.Body) { c.reply(0, body) }

// Reply answers a command with a message of the test's own.
func (c *Conn) Reply(id uint32, body wire.Body) { c.reply(id, body) }

// Disconnect says why and drops the connection (SRV-7).
func (c *Conn) Disconnect(code realtime.Code, reason string, windowMS uint64) {
	body := &wire.Disconnect{Code: code, Reason: reason}
	if windowMS > 0 {
		body.Reconnect = &wire.Reconnect{WindowMS: windowMS}
	}
	c.Push(body)
	c.Close()
}

// Unsubscribe ends a subscription (SRV-5).
func (c *Conn) Unsubscribe(name string, code realtime.Code, reason string) {
	c.leave(name)
	delete(c.subs, name)
	c.Push(&wire.Unsubscribed{Channel: name, Code: code, Reason: reason})
}

func (c *Conn) reply(id uint32, body wire.Body) {
	if !c.closed {
		c.out = append(c.out, wire.ServerMessage{ID: id, Body: body})
	}
}

// deliver hands a publication to what of the connection wants it (SUB-10).
func (c *Conn) deliver(p wire.Publication, skip bool) {
	if c.subs[p.Channel] != nil {
		switch {
		case !skip:
			own := p
			c.Push(&own)
		case p.Offset != 0:
			c.Push(&wire.Publication{Channel: p.Channel, Offset: p.Offset, Prev: p.Prev, Skipped: true}) // PUB-2
		}
	}
	if skip {
		return
	}
	for name := range c.subs {
		if realtime.IsPattern(name) && realtime.PatternMatches(name, p.Channel) {
			copied := p
			copied.Offset, copied.Prev, copied.Pattern = 0, 0, true
			c.Push(&copied)
			return
		}
	}
}
