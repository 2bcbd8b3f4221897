package core

import (
	"github.com/bellwire/bellwire/protocol/native/wire"
	"github.com/bellwire/bellwire/realtime"
)

// send puts a message out, whatever the pace.
func (c *Core) send(now int64, sent *command) {
	c.commandID = c.nextID()
	sent.sentAt = now
	c.line.inFlight[c.commandID] = sent
	c.line.paceAt = max(c.line.paceAt, now) + c.options.CommandIntervalMS
	c.put(&Send{Line: c.line.number, Message: wire.ClientMessage{ID: c.commandID, Command: sent.command}})
}

// nextID is one that is not in flight (MSG-2).
func (c *Core) nextID() uint32 {
	for id := c.commandID + 1; ; id++ {
		if id != 0 && c.line.inFlight[id] == nil {
			return id
		}
	}
}

// paceOpensAt is the first moment at which something that can wait may be sent. A server answers too many commands with
// errors, and many errors with 4429.
func (l *line) paceOpensAt(o *Options) int64 {
	return l.paceAt - (o.CommandBurst-1)*o.CommandIntervalMS
}

// sendAt is when something that waits for the pace is due.
func (c *Core) sendAt() int64 {
	if len(c.leaving) == 0 && len(c.commands.waiting) == 0 && !c.anyDue() {
		return never
	}
	return c.line.paceOpensAt(&c.options)
}

func (c *Core) anyDue() bool {
	for _, s := range c.order {
		if s.sendable() {
			return true
		}
	}
	return false
}

// sendable: it is due and does not wait for its token.
func (s *subscription) sendable() bool {
	return s.due && !s.tokenMissing()
}

// flush sends what waits, as far as the pace allows: unsubscribe, subscribe, then commands.
func (c *Core) flush(now int64) {
	if c.state != Connected {
		return
	}
	for _, s := range c.order {
		if s.due && s.tokenMissing() {
			c.fetchSubscriptionToken(s.channel)
		}
	}
	for c.line.paceOpensAt(&c.options) <= now {
		if !c.sendLeaving(now) && !c.sendSubscribe(now) && !c.sendWaiting(now) {
			return
		}
	}
}

// greet sends connect with all wanted subscriptions, and what does not fit as subscribe (CLI-4).
func (c *Core) greet(now int64) {
	message := &wire.Connect{Token: c.token.value, Client: c.options.Client}
	size := sizeOf(&wire.ClientMessage{ID: c.nextID(), Command: message}) + len(`,"subscribe":[]`)
	message.Subscribe, _ = c.takeDue(size, 0)
	c.send(now, &command{kind: kindConnect, command: message})
	for c.sendSubscribe(now) {
	}
}

func (c *Core) sendSubscribe(now int64) (sent bool) {
	items, channels := c.takeDue(subscribeFrameSize, 1)
	if len(items) == 0 {
		return false
	}
	c.send(now, &command{kind: kindSubscribe, command: &wire.Subscribe{Channels: items}, channels: channels})
	return true
}

const subscribeFrameSize = len(`{"id":4294967295,"subscribe":{"channels":[]}}` + "\n")

// takeDue returns as many of the due subscriptions as fit into one message whose other bytes are size.
func (c *Core) takeDue(size, atLeast int) (items []wire.SubscribeItem, channels []string) {
	for _, s := range c.order {
		if !s.sendable() {
			continue
		}
		item := s.item()
		size += itemSize(item) + len(`,`)
		if len(items) == channelsInMessageMax || len(items) >= atLeast && size > c.messageBytes {
			break
		}
		items = append(items, item)
		channels = append(channels, s.channel)
		s.due = false
		s.sent = true
		s.retryAt = never
		served := c.line.servedFor(s.channel)
		served.awaited++
		served.wanted = true
	}
	return items, channels
}

func itemSize(item wire.SubscribeItem) int {
	empty := len(`{"id":1,"subscribe":{"channels":[]}}` + "\n")
	return sizeOf(&wire.ClientMessage{ID: 1, Command: &wire.Subscribe{Channels: []wire.SubscribeItem{item}}}) - empty
}

// sizeOf is the size of a message in its JSON framing, or in the other one where it cannot be JSON.
func sizeOf(message *wire.ClientMessage) int {
	encoded, err := wire.AppendClient(nil, wire.JSON, message)
	if err != nil {
		encoded, _ = wire.AppendClient(nil, wire.Proto, message)
	}
	return len(encoded)
}

func (c *Core) sendLeaving(now int64) (sent bool) {
	if len(c.leaving) == 0 {
		return false
	}
	size := len(`{"id":4294967295,"unsubscribe":{"channels":[]}}` + "\n")
	count := 0
	for count < min(len(c.leaving), channelsInMessageMax) {
		size += len(c.leaving[count]) + len(`"",`)
		if count > 0 && size > c.messageBytes {
			break
		}
		count++
	}
	channels := c.leaving[:count:count]
	c.leaving = c.leaving[count:]
	for _, channel := range channels {
		c.line.servedFor(channel).wanted = false
	}
	c.send(now, &command{kind: kindUnsubscribe, command: &wire.Unsubscribe{Channels: channels}})
	return true
}

// sendPage asks for what completes a snapshot, whatever the pace.
func (c *Core) sendPage(now int64, s *subscription, page wire.Command) {
	if page != nil && s.live {
		c.send(now, &command{kind: kindPage, subscription: s, generation: s.generation, command: page})
	}
}

// sendWaiting sends the oldest command of the application, or fails it when it is larger than the server takes.
func (c *Core) sendWaiting(now int64) (sent bool) {
	if len(c.commands.waiting) == 0 {
		return false
	}
	next := c.commands.waiting[0]
	c.commands.waiting[0] = nil
	c.commands.waiting = c.commands.waiting[1:]
	if next.size > c.messageBytes {
		c.done(next)
		c.fail(next.request, realtime.CodeTooLarge)
		return true
	}
	c.send(now, next)
	return true
}
