package modelserver

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/bellwire/bellwire/protocol/native/wire"
	"github.com/bellwire/bellwire/realtime"
)

// Receive carries out one message.
func (c *Conn) Receive(m *wire.ClientMessage) {
	if c.closed || c.server.Intercept != nil && c.server.Intercept(c, m) {
		return
	}
	if _, isConnect := m.Command.(*wire.Connect); !c.connected && !isConnect {
		c.Disconnect(realtime.CodeBadProtocol, "", 0) // CON-4
		return
	}
	switch command := m.Command.(type) {
	case *wire.Connect:
		c.connect(m.ID, command)
	case *wire.Subscribe:
		for i := range command.Channels {
			c.subscribe(&command.Channels[i])
		}
		c.reply(m.ID, &wire.Empty{Command: wire.EmptySubscribe})
	case *wire.Unsubscribe:
		for _, name := range command.Channels {
			c.leave(name)
			delete(c.subs, name)
		}
		c.reply(m.ID, &wire.Empty{Command: wire.EmptyUnsubscribe})
	case *wire.Publish:
		c.publish(m.ID, command)
	case *wire.Update:
		c.update(m.ID, command)
	case *wire.History:
		c.history(m.ID, command)
	case *wire.State:
		ch := c.server.channel(command.Channel)
		c.reply(m.ID, c.server.statePage(ch, command.Key, command.After, int(command.Limit)))
	default:
		c.receiveRest(m)
	}
}

func (c *Conn) receiveRest(m *wire.ClientMessage) {
	switch command := m.Command.(type) {
	case *wire.Presence:
		ch := c.server.channel(command.Channel)
		c.reply(m.ID, c.server.presencePage(ch, command.CountOnly, command.After))
	case *wire.Enter:
		if c.subs[command.Channel] == nil {
			c.fail(m.ID, realtime.CodeNotSubscribed)
			return
		}
		c.enter(command.Channel, command.Payload)
		c.reply(m.ID, &wire.Empty{Command: wire.EmptyEnter})
	case *wire.Leave:
		c.leave(command.Channel)
		c.reply(m.ID, &wire.Empty{Command: wire.EmptyLeave})
	case *wire.Call:
		c.reply(m.ID, &wire.Called{Payload: command.Payload})
	case *wire.Refresh:
		c.reply(m.ID, &wire.Refreshed{})
	case *wire.Ping:
		c.reply(m.ID, &wire.Pong{TimeMS: 1790000000000})
	}
}

func (c *Conn) fail(id uint32, code realtime.Code) {
	c.reply(id, &wire.Error{Code: code, Name: code.Name(), Message: code.Meaning()})
}

func (c *Conn) connect(id uint32, command *wire.Connect) {
	if c.connected {
		c.fail(id, realtime.CodeAlreadyConnected)
		return
	}
	c.connected = true
	session := c.server.Session
	session.Connection, session.User = c.ID, c.User
	c.reply(id, &session)
	for i := range command.Subscribe {
		c.subscribe(&command.Subscribe[i])
	}
}

// subscribe answers SUB-2 to SUB-8.
func (c *Conn) subscribe(item *wire.SubscribeItem) {
	answer := &wire.Subscribed{Channel: item.Channel}
	if realtime.IsPattern(item.Channel) {
		c.subs[item.Channel] = item
		c.reply(0, answer)
		return
	}
	ch := c.server.channel(item.Channel)
	position := ch.top
	if ch.epoch != "" {
		answer.Epoch, answer.Top = ch.epoch, ch.top
		position = c.begin(ch, item, answer)
		answer.Offset = position
	}
	if item.State && (answer.Recovered == nil || !*answer.Recovered) {
		answer.State = c.server.statePage(ch, "", "", 0)
	}
	c.subs[item.Channel] = item
	if !item.Enter.IsNone() {
		c.enter(item.Channel, item.Enter)
	}
	if item.Presence != wire.PresenceNone {
		answer.Presence = c.server.presencePage(ch, item.Presence == wire.PresenceCount, "")
	}
	c.reply(0, answer)
	for _, p := range ch.log {
		if p.Offset > position {
			held := p
			c.reply(0, &held)
		}
	}
}

// begin says where the stream of a subscription begins.
func (c *Conn) begin(ch *channel, item *wire.SubscribeItem, answer *wire.Subscribed) uint64 {
	oldest := ch.top - uint64(len(ch.log)) // the offset before the oldest entry
	if item.Since == nil {
		return max(oldest, ch.top-min(ch.top, uint64(item.Rewind)))
	}
	recovered := false
	answer.Recovered = &recovered
	switch {
	case item.Since.Epoch != ch.epoch || item.Since.Offset > ch.top:
		answer.Missed = &realtime.Missed{From: item.Since.Offset + 1}
		return oldest
	case item.Since.Offset < oldest:
		answer.Missed = &realtime.Missed{From: item.Since.Offset + 1, To: oldest}
		return oldest
	}
	recovered = true
	return item.Since.Offset
}

func (c *Conn) publish(id uint32, command *wire.Publish) {
	ch := c.server.channel(command.Channel)
	if first, ok := ch.ids[command.ID].(*wire.Published); ok {
		again := *first
		again.Duplicate = true
		c.reply(id, &again)
		return
	}
	var skip *Conn
	if command.NoEcho {
		skip = c
	}
	c.server.append(ch, wire.Publication{
		Channel: command.Channel, Payload: command.Payload, ID: command.ID, From: realtime.Publisher{User: c.User, Connection: c.ID},
	}, skip)
	published := &wire.Published{Position: realtime.Position{Epoch: ch.epoch, Offset: ch.top}}
	if command.ID != "" {
		ch.ids[command.ID] = published
	}
	c.reply(id, published)
}

func (c *Conn) update(id uint32, command *wire.Update) {
	ch := c.server.channel(command.Channel)
	if first, ok := ch.ids[command.ID].(*wire.Updated); ok {
		again := *first
		again.Duplicate = true
		c.reply(id, &again)
		return
	}
	held, present := ch.state[command.Key]
	change, applies := changeOf(command, held, present)
	if applies {
		c.server.append(ch, wire.Publication{Channel: command.Channel, State: change, ID: command.ID}, nil)
	}
	now := ch.state[command.Key]
	updated := &wire.Updated{Applied: applies, Value: now.Value, Version: now.Version, Epoch: ch.epoch, Offset: ch.top}
	if command.ID != "" {
		ch.ids[command.ID] = updated
	}
	c.reply(id, updated)
}

// changeOf decides STA-2.
func changeOf(command *wire.Update, held realtime.Entry, present bool) (change *realtime.StateChange, applies bool) {
	set := &realtime.StateChange{Key: command.Key, Value: command.Value}
	switch command.Op {
	case wire.OpSet:
		return set, true
	case wire.OpRemove:
		return &realtime.StateChange{Key: command.Key, Removed: true}, present
	case wire.OpSetIf:
		return set, held.Version == command.Version
	case wire.OpSetGreater:
		return set, !present || number(command.Value) > number(held.Value)
	}
	sum := strconv.FormatFloat(number(held.Value)+command.By, 'g', -1, 64)
	return &realtime.StateChange{Key: command.Key, Value: realtime.JSON([]byte(sum))}, true
}

func number(p realtime.Payload) (n float64) {
	_ = json.Unmarshal(p.Bytes, &n)
	return n
}

func (c *Conn) history(id uint32, command *wire.History) {
	ch := c.server.channel(command.Channel)
	page := &wire.HistoryPage{Epoch: ch.epoch, Top: ch.top}
	limit := int(command.Limit)
	if limit == 0 {
		limit = 100
	}
	for _, p := range ch.log {
		if command.Since != nil && (command.Reverse && p.Offset >= command.Since.Offset || !command.Reverse && p.Offset <= command.Since.Offset) {
			continue
		}
		page.Publications = append(page.Publications, p)
	}
	if command.Reverse {
		slices.Reverse(page.Publications)
	}
	if page.More = len(page.Publications) > limit; page.More {
		page.Publications = page.Publications[:limit]
	}
	c.reply(id, page)
}

func (s *Server) statePage(ch *channel, key, after string, limit int) *wire.StatePage {
	page := &wire.StatePage{Epoch: ch.epoch, AsOf: ch.top}
	if limit == 0 || limit > s.PageMax {
		limit = s.PageMax
	}
	for _, name := range slices.Sorted(maps.Keys(ch.state)) {
		if name <= after || key != "" && name != key {
			continue
		}
		if len(page.Entries) == limit {
			page.More = true
			break
		}
		page.Entries = append(page.Entries, ch.state[name])
	}
	return page
}

func (s *Server) presencePage(ch *channel, countOnly bool, after string) *wire.PresencePage {
	page := &wire.PresencePage{Version: ch.presenceVersion, Count: uint64(len(ch.members))}
	if countOnly {
		return page
	}
	for _, user := range slices.Sorted(maps.Keys(ch.members)) {
		if user <= after {
			continue
		}
		if len(page.Members) == s.PageMax {
			page.More = true
			break
		}
		page.Members = append(page.Members, ch.members[user])
	}
	return page
}

func (c *Conn) enter(name string, payload realtime.Payload) {
	member := realtime.Member{User: c.User, Connections: []realtime.MemberConnection{{Connection: c.ID, Payload: payload}}}
	c.server.Enter(name, member)
}

// Enter makes a user present, or changes it.
func (s *Server) Enter(name string, member realtime.Member) {
	ch := s.channel(name)
	ch.members[member.User] = member
	s.presenceChanged(ch, []realtime.Member{member}, nil)
}

// Leave makes a user absent.
func (s *Server) Leave(name, user string) {
	ch := s.channel(name)
	if _, present := ch.members[user]; present {
		delete(ch.members, user)
		s.presenceChanged(ch, nil, []string{user})
	}
}

func (c *Conn) leave(name string) {
	if !realtime.IsPattern(name) {
		c.server.Leave(name, c.User)
	}
}

func (s *Server) presenceChanged(ch *channel, set []realtime.Member, left []string) {
	ch.presenceVersion++
	for _, c := range s.conns {
		item := c.subs[ch.name]
		if item == nil || item.Presence == wire.PresenceNone {
			continue
		}
		change := &wire.PresenceChange{Channel: ch.name, Version: ch.presenceVersion, Count: uint64(len(ch.members))}
		if item.Presence == wire.PresenceMembers {
			change.Set, change.Left = set, left
		}
		c.Push(change)
	}
}
