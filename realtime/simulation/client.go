package simulation

import (
	"fmt"
	"strings"

	"github.com/bellwire/bellwire/client/core"
	"github.com/bellwire/bellwire/protocol/native/wire"
	"github.com/bellwire/bellwire/realtime"
)

// client is the core of a client and everything its application has been told.
type client struct {
	world  *world
	name   string
	core   *core.Core
	wanted map[string]bool
	seen   map[string]*seen // by channel
	asked  map[int64]string // requests without an answer: the payload that was published, "" for others
	nextID int64
	serial int
}

// seen is how far the application of a client has come in a channel.
type seen struct {
	position realtime.Position // of the last answer or publication
	top      uint64            // of the last answer
	started  bool
	pending  *core.SubscriptionStarted
	before   realtime.Position // at the last answer
	handed   uint64            // the last offset handed over before it
}

func newClient(w *world, n int) *client {
	c := &client{
		world: w, name: fmt.Sprintf("u%d", n), wanted: make(map[string]bool), seen: make(map[string]*seen),
		asked: make(map[int64]string),
	}
	c.core = core.New(core.Options{URLs: []string{"ws://simulation/ws"}, Client: "simulation", Random: w.random.Float64})
	return c
}

func (c *client) options(channel string) *core.SubscribeOptions {
	o := &core.SubscribeOptions{}
	if strings.HasPrefix(channel, "room:") {
		o.State, o.Presence, o.Enter = true, wire.PresenceMembers, realtime.JSON([]byte(`"`+c.name+`"`))
	}
	return o
}

// drain carries out what the core puts out.
func (c *client) drain() {
	for _, output := range append([]core.Output(nil), c.core.Drain()...) {
		switch o := output.(type) {
		case *core.Open:
			c.world.open(c, o.Line)
		case *core.Send:
			c.send(o)
		case *core.Close:
			if l := c.world.lineOf(c, o.Line); l != nil {
				l.hangUp()
			}
		default:
			c.tell(o)
		}
	}
}

func (c *client) send(o *core.Send) {
	b, err := wire.AppendClient(nil, wire.JSON, &o.Message)
	if err != nil {
		c.world.model.fail("%s cannot send: %v", c.name, err)
		return
	}
	if l := c.world.lineOf(c, o.Line); l != nil {
		l.up = append(l.up, c.world.packet(b))
	}
}

// tell is the application: it checks what it is told against what really happened.
func (c *client) tell(output core.Output) {
	m := c.world.model
	switch o := output.(type) {
	case *core.SubscriptionStarted:
		c.started(o)
	case *core.Missed:
		c.missed(o)
	case *core.Publication:
		c.world.delivered++
		if o.Subscription == o.Publication.Channel && o.Publication.Offset != 0 {
			c.advance(o.Publication.Channel, o.Epoch, o.Publication.Offset)
			m.checkDelivered(c.name, o.Publication.Channel, o.Epoch, o.Publication.Offset, o.Publication.Payload)
		}
	case *core.ChannelState:
		if !o.Reset && o.Position.Offset != 0 {
			c.advance(o.Channel, o.Position.Epoch, o.Position.Offset)
		}
	case *core.SubscriptionStopped:
		c.world.met(fmt.Sprintf("unsubscribed %d", o.Code))
		if o.Reason == "an entry of the channel did not come" {
			m.fail("I3: the session of %s lost an entry of %s", c.name, o.Channel)
		}
	case *core.StateChange:
		if o.State == core.Closed && o.Code != 0 {
			m.fail("I13: %s was ended for good with %d %s", c.name, o.Code, o.Reason)
		}
		if o.Code != 0 {
			c.world.met(fmt.Sprintf("disconnected %d", o.Code))
		}
	case *core.Reply:
		c.answered(o)
	case *core.Failed:
		delete(c.asked, o.Request)
	}
}

func (c *client) at(channel string) *seen {
	if c.seen[channel] == nil {
		c.seen[channel] = new(seen)
	}
	return c.seen[channel]
}

// started checks I4 and I5: recovered says that nothing is missing, and a range that is missing is told.
func (c *client) started(o *core.SubscriptionStarted) {
	s, m := c.at(o.Channel), c.world.model
	s.settle(c, m)
	s.handed = s.position.Offset
	c.passTold(s, o.Channel, o.Epoch, o.Offset) // as far as the client may have come without handing anything over
	s.before = s.position
	recovered := o.Recovered != nil && *o.Recovered
	if recovered && s.started && (o.Epoch != s.position.Epoch || o.Offset > s.position.Offset) {
		m.fail("I4: %s holds %v of %s and is recovered at %s/%d", c.name, s.position, o.Channel, o.Epoch, o.Offset)
	}
	// Asked again while live: what came before the answer counts, and is not handed over again (SUB-9).
	isBehind := s.started && o.Epoch == s.position.Epoch && o.Offset <= s.position.Offset
	if o.Recovered != nil && !*o.Recovered && !isBehind {
		s.pending = o // Missed follows
		c.world.met("missed")
	} else if o.Recovered != nil {
		c.world.met("recovered")
	}
	s.top = o.Top
	if !isBehind {
		s.position, s.started = realtime.Position{Epoch: o.Epoch, Offset: o.Offset}, true
	}
}

// settle: an answer that is not recovered must be followed by what is missed (SUB-5, SUB-6).
func (s *seen) settle(c *client, m *model) {
	if s.pending != nil {
		m.fail("I4: %s was not recovered in %s and not told what it missed", c.name, s.pending.Channel)
	}
}

func (c *client) missed(o *core.Missed) {
	s, m := c.at(o.Channel), c.world.model
	if s.pending == nil {
		m.fail("I4: %s missed something of %s that was recovered", c.name, o.Channel)
		return
	}
	sameEpoch := s.pending.Epoch == s.before.Epoch
	if sameEpoch && o.To != 0 && (o.From <= s.handed || o.From > s.before.Offset+1 || o.To != s.pending.Offset) {
		m.fail("I4: %s held %v of %s, begins at %d and is told it missed %d to %d", c.name, s.before, o.Channel, s.pending.Offset, o.From, o.To)
	}
	s.pending = nil
}

// passTold moves over state changes that a snapshot has told: they are not handed over once more (SUB-8).
func (c *client) passTold(s *seen, channel, epoch string, upTo uint64) {
	for epoch == s.position.Epoch && s.position.Offset < min(upTo, s.top) {
		if e := c.world.model.entry(channel, epoch, s.position.Offset+1); e == nil || e.State == nil {
			return
		}
		s.position.Offset++
	}
}

// advance checks I1, I2 and I3: one after another.
func (c *client) advance(channel, epoch string, offset uint64) {
	s := c.at(channel)
	c.passTold(s, channel, epoch, offset-1)
	if epoch != s.position.Epoch || offset != s.position.Offset+1 {
		c.world.model.fail("I1: %s holds %v of %s and is handed %s/%d", c.name, s.position, channel, epoch, offset)
	}
	s.position = realtime.Position{Epoch: epoch, Offset: offset}
	s.settle(c, c.world.model)
}

// answered checks I7: what was acknowledged stands where the answer says.
func (c *client) answered(o *core.Reply) {
	payload := c.asked[o.Request]
	delete(c.asked, o.Request)
	published, ok := o.Result.(*wire.Published)
	if !ok || published.Position.Offset == 0 {
		return
	}
	channel, text, _ := strings.Cut(payload, " ")
	e := c.world.model.entry(channel, published.Position.Epoch, published.Position.Offset)
	if e == nil || string(e.Payload.Bytes) != text {
		c.world.model.fail("I7: %s was told that %s is at %s/%d", c.name, payload, published.Position.Epoch, published.Position.Offset)
	}
	if published.Duplicate {
		c.world.met("duplicate")
	}
}

func (c *client) publish(channel string) {
	c.serial++
	c.nextID++
	text := fmt.Sprintf(`"%s-%d"`, c.name, c.serial)
	c.asked[c.nextID] = channel + " " + text
	c.core.Request(c.world.ms(), c.nextID, &wire.Publish{Channel: channel, Payload: realtime.JSON([]byte(text))}, true)
}

func (c *client) update(channel string) {
	c.nextID++
	c.asked[c.nextID] = ""
	key := fmt.Sprintf("k%d", c.world.random.IntN(4))
	c.core.Request(c.world.ms(), c.nextID, &wire.Update{Channel: channel, Op: wire.OpIncrement, Key: key, By: 1}, true)
}

// toggle changes what the application wants: last intent wins (CLI-10).
func (c *client) toggle(channel string) {
	if c.wanted[channel] {
		delete(c.wanted, channel)
		delete(c.seen, channel)
		c.core.Unsubscribe(c.world.ms(), channel)
		return
	}
	c.want(channel)
}

func (c *client) want(channel string) {
	c.wanted[channel] = true
	c.core.Subscribe(c.world.ms(), channel, c.options(channel))
}
