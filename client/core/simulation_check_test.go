package core_test

import (
	"maps"
	"slices"

	"github.com/bellwire/bellwire/client/core"
	"github.com/bellwire/bellwire/protocol/native/wire"
	"github.com/bellwire/bellwire/realtime"
)

// drain carries out what the core asks, and holds what it tells against what it promised.
func (s *simulation) drain() {
	for _, output := range slices.Clone(s.core.Drain()) {
		if s.trace {
			s.t.Logf("%d ms: %s", s.now, text(s.t, plain(s.t, output)))
		}
		switch o := output.(type) {
		case *core.Open:
			s.openLine(o)
		case *core.Send:
			s.send(o)
		case *core.Close:
			s.closeLine(o)
		case *core.SubscriptionStarted:
			s.started(o)
		case *core.Missed:
			s.missed(o)
		case *core.Publication:
			s.published(o)
		case *core.ChannelState:
			s.stateChanged(o)
		case *core.PresenceChange:
			s.presenceChanged(o)
		case *core.Reply:
			s.answered(o.Request)
			if published, ok := o.Result.(*wire.Published); ok {
				s.checkStored(o.Request, published)
			}
		case *core.Failed:
			s.answered(o.Request)
			if o.Error.Code == realtime.CodeTimeout {
				s.seen["in flight failed"]++
			}
		}
	}
	s.collect()
}

func (s *simulation) openLine(o *core.Open) {
	for _, l := range s.line {
		if l.open && l.conn != nil {
			s.fail("CLI-2: line %d is opened while %d lives", o.Line, l.number)
		}
	}
	l := &simulatedLine{number: o.Line, toOpen: s.now + s.random.Int64N(300), cutAt: notYet}
	if s.faults {
		l.refused = s.random.IntN(4) == 0
		if s.random.IntN(10) == 0 {
			l.toOpen = s.now + 20_000 // too late (CLI-2)
		}
	}
	s.line[o.Line] = l
}

func (s *simulation) send(o *core.Send) {
	l := s.line[o.Line]
	if l == nil || !l.open {
		s.fail("a message is sent on line %d, which is not open", o.Line)
	}
	switch command := o.Message.Command.(type) {
	case *wire.State:
		s.seen["state page"]++
	case *wire.Publish:
		if s.sent[command.ID] {
			s.seen["sent again"]++
		}
		s.sent[command.ID] = true
	case *wire.Connect:
		if len(command.Subscribe) > 0 {
			s.seen["resumed with connect"]++
		}
	}
	if encoded, _ := wire.AppendClient(nil, wire.JSON, &o.Message); len(encoded) > 65_536 {
		s.fail("CON-8: a message of %d bytes", len(encoded))
	}
	at := s.now + s.random.Int64N(30)
	if len(l.up) > 0 {
		at = max(at, l.up[len(l.up)-1].at)
	}
	if l.conn != nil { // A line that is cut without the client's knowledge swallows everything.
		l.up = append(l.up, delayed[wire.ClientMessage]{at, o.Message})
	}
}

func (s *simulation) closeLine(o *core.Close) {
	l := s.line[o.Line]
	if l == nil {
		return
	}
	if l.toOpen != notYet {
		s.seen["late line"]++
	}
	if l.conn != nil {
		l.conn.Close()
	}
	delete(s.line, o.Line)
}

func (s *simulation) started(o *core.SubscriptionStarted) {
	w := s.wanted[o.Channel]
	if w == nil {
		s.fail("CLI-10: %s was subscribed, which nobody wants", o.Channel)
	}
	if realtime.IsPattern(o.Channel) || o.Epoch == "" {
		return
	}
	next := realtime.Position{Epoch: o.Epoch, Offset: o.Offset}
	recovered := o.Recovered != nil && *o.Recovered
	switch {
	case recovered:
		s.seen["recovered"]++
		if w.options.State {
			w.position = s.core.Subscription(o.Channel).Position // changes that a snapshot had moved it without a word
		} else if next.Epoch != w.position.Epoch || next.Offset > w.position.Offset {
			s.fail("SUB-4: %s recovered at %v, held %v", o.Channel, next, w.position)
		}
	case o.Recovered != nil:
		held := s.core.Subscription(o.Channel).Position
		if held.Epoch != next.Epoch || held.Offset < w.position.Offset && held.Epoch == w.position.Epoch && next.Offset >= w.position.Offset {
			s.fail("SUB-5: %s holds %v after an answer of %v", o.Channel, held, next)
		}
		w.mayJump = true // a Missed may follow
		w.position = held
	default:
		w.position = next
	}
}

func (s *simulation) missed(o *core.Missed) {
	w := s.wanted[o.Channel]
	if !w.mayJump {
		s.fail("SUB-5: missed without an answer that says so")
	}
	if o.To == 0 {
		s.seen["gone epoch"]++
	} else {
		s.seen["missed"]++
	}
}

// published: once, in order, without a gap, and only what is wanted (I1, I2, I3, I6).
func (s *simulation) published(o *core.Publication) {
	w := s.wanted[o.Subscription]
	if w == nil {
		s.fail("UNS-1: a publication of %s, which nobody wants", o.Subscription)
	}
	if realtime.IsPattern(o.Subscription) || o.Publication.Offset == 0 {
		return
	}
	s.advancePosition(w, o.Subscription, o.Publication.Offset)
	key := w.position.Epoch + " " + string(o.Publication.Payload.Bytes)
	if w.delivered[key]++; w.delivered[key] > 1 {
		s.fail("POS-6: %s was handed over twice in %s", o.Publication.Payload.Bytes, o.Subscription)
	}
}

func (s *simulation) advancePosition(w *intent, channel string, offset uint64) {
	held := s.core.Subscription(channel).Position
	// What a snapshot had already moves the position without a word.
	inOrder := offset == w.position.Offset+1 || w.options.State && offset > w.position.Offset
	if !inOrder {
		s.fail("CLI-5: %s got offset %d after %v", channel, offset, w.position)
	}
	w.position.Offset = offset
	if held.Epoch != w.position.Epoch || held.Offset < offset {
		s.fail("CLI-6: %s handed over %d and holds %v", channel, offset, held)
	}
}

func (s *simulation) stateChanged(o *core.ChannelState) {
	w := s.wanted[o.Channel]
	if w == nil {
		s.fail("UNS-1: a change of %s, which nobody wants", o.Channel)
	}
	if o.Reset {
		clear(w.entries)
	}
	for _, entry := range o.Set {
		w.entries[entry.Key] = string(entry.Value.Bytes)
	}
	for _, key := range o.Removed {
		delete(w.entries, key)
	}
	// What was skipped because the snapshot has it moves the position without a word.
	w.position = s.core.Subscription(o.Channel).Position
}

func (s *simulation) presenceChanged(o *core.PresenceChange) {
	w := s.wanted[o.Channel]
	if w == nil {
		s.fail("UNS-1: presence of %s, which nobody wants", o.Channel)
	}
	if o.Reset {
		clear(w.members)
	}
	for _, member := range o.Set {
		w.members[member.User] = true
	}
	for _, user := range o.Left {
		delete(w.members, user)
	}
}

func (s *simulation) answered(request int64) {
	if s.requests[request].answered++; s.requests[request].answered > 1 {
		s.fail("request %d is answered twice", request)
	}
}

// checkStored: what was acknowledged is in the log, once (I7, I8), unless its life of the log is over.
func (s *simulation) checkStored(request int64, published *wire.Published) {
	r := s.requests[request]
	if published.Duplicate {
		s.seen["duplicate reply"]++
	}
	if published.Position.Epoch != s.server.Top(r.channel).Epoch {
		return
	}
	count := 0
	for _, p := range s.server.Log(r.channel) {
		if string(p.Payload.Bytes) == r.payload {
			count++
			if p.Offset != published.Position.Offset {
				s.fail("PUB-1: %s is at %d, the reply says %d", r.payload, p.Offset, published.Position.Offset)
			}
		}
	}
	if count > 1 {
		s.fail("CLI-7: %s is stored %d times", r.payload, count)
	}
}

// checkEnd: faults have stopped, so everything wanted must be true (I13), and the server serves exactly that (CLI-10).
func (s *simulation) checkEnd() {
	if s.core.State() != core.Connected {
		s.fail("I13: the client is %s", s.core.State())
	}
	conns := s.server.Conns()
	if len(conns) != 1 {
		s.fail("CLI-2: the server has %d lines", len(conns))
	}
	wanted := slices.Sorted(maps.Keys(s.wanted))
	if got := conns[0].Subscriptions(); !slices.Equal(got, wanted) {
		s.fail("CLI-10: the server serves %v, wanted %v", got, wanted)
	}
	for channel, w := range s.wanted {
		view := s.core.Subscription(channel)
		if view.State != core.Subscribed {
			s.fail("I13: %s is %s", channel, view.State)
		}
		if realtime.IsPattern(channel) {
			continue
		}
		if top := s.server.Top(channel); top.Epoch != "" && view.Position != top {
			s.fail("I4: %s holds %v, the log ends at %v", channel, view.Position, top)
		}
		if w.options.State {
			s.checkState(channel, w, view)
		}
	}
	for number, request := range s.requests {
		if request.answered != 1 {
			s.fail("request %d has %d answers", number, request.answered)
		}
	}
}

// checkState: a snapshot and all changes after it are the truth (POS-7), for the core and for whoever listened to it.
func (s *simulation) checkState(channel string, w *intent, view core.SubscriptionView) {
	truth := make(map[string]string)
	for key, entry := range s.server.State(channel) {
		truth[key] = string(entry.Value.Bytes)
	}
	held := make(map[string]string)
	for key, entry := range view.Entries {
		held[key] = string(entry.Value.Bytes)
	}
	if !maps.Equal(truth, held) || !maps.Equal(truth, w.entries) {
		s.fail("POS-7: the state of %s is %v, held %v, told %v", channel, truth, held, w.entries)
	}
	members := slices.Sorted(maps.Keys(s.server.Members(channel)))
	if got := slices.Sorted(maps.Keys(view.Members)); !slices.Equal(got, members) {
		s.fail("PRE-4: present are %v, held %v", members, got)
	}
	if got := slices.Sorted(maps.Keys(w.members)); !slices.Equal(got, members) {
		s.fail("PRE-4: present are %v, told %v", members, got)
	}
	if int(view.Count) != len(members) {
		s.fail("PRE-3: %d are present, the count is %d", len(members), view.Count)
	}
}
