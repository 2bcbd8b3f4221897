package core

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/bellwire/bellwire/protocol/native/wire"
	"github.com/bellwire/bellwire/realtime"
)

// kind says whose a command is and what its answer is for.
type kind uint8

const (
	kindRequest kind = iota // the application's
	kindConnect
	kindSubscribe
	kindUnsubscribe
	kindPing
	kindRefresh
	kindPage
)

// A command is something to be sent, or sent and not answered.
type command struct {
	kind    kind
	command wire.Command
	sentAt  int64

	// Of the application's:
	request int64
	number  uint64 // grows with each, so that they stay in order
	size    int
	resend  bool // idempotent: sent again on the next line (CLI-7)
	tried   bool // sent on an earlier line: whether it was carried out is unknown

	// Of the core's own:
	channels     []string      // of a subscribe
	channel      string        // of a subscription's refresh
	subscription *subscription // of a page
	generation   int           // the subscription's, when the page was asked for
}

// commands are the application's: those that wait, and the sum of all that have no answer.
type commands struct {
	waiting []*command // in the order in which they were given
	newest  uint64
	count   int // waiting and in flight
	bytes   int // of these
}

func newCommands() commands { return commands{} }

// Request takes a command of the application. The answer is a Reply or a Failed with its number; it may come at once.
// With wait false it fails unless it can be sent at once, and is never sent twice.
func (c *Core) Request(now int64, request int64, body wire.Command, wait bool) {
	if failure := c.refuse(now, body, wait); failure != 0 {
		c.fail(request, failure)
		return
	}
	c.enterOrLeave(body)
	resend := false
	if wait {
		body, resend = c.withID(body)
	}
	size := sizeOf(&wire.ClientMessage{ID: 1, Command: body})
	if c.commands.count >= c.options.CommandsMax || c.commands.bytes+size > c.options.CommandsBytesMax {
		c.fail(request, realtime.CodeLimitExceeded)
		return
	}
	c.commands.newest++
	c.commands.count++
	c.commands.bytes += size
	c.commands.waiting = append(c.commands.waiting, &command{command: body, request: request, number: c.commands.newest, size: size, resend: resend})
	c.flush(now)
}

// Cancel forgets a request that was never sent: it will have no answer. One that was sent goes on.
func (c *Core) Cancel(request int64) (forgotten bool) {
	at := slices.IndexFunc(c.commands.waiting, func(w *command) bool { return w.request == request && !w.tried })
	if at < 0 {
		return false
	}
	c.done(c.commands.waiting[at])
	c.commands.waiting = slices.Delete(c.commands.waiting, at, at+1)
	return true
}

// refuse returns the code with which a command fails at once, or 0.
func (c *Core) refuse(now int64, body wire.Command, wait bool) realtime.Code {
	if c.state == Closed {
		return realtime.CodeUnavailable
	}
	switch body := body.(type) {
	case *wire.Enter:
		if !c.isWanted(body.Channel) {
			return realtime.CodeNotSubscribed // PRE-1
		}
	case *wire.Leave:
		if !c.isWanted(body.Channel) {
			return realtime.CodeNotSubscribed
		}
	}
	isOpen := c.state == Connected && len(c.commands.waiting) == 0 && c.line.paceOpensAt(&c.options) <= now
	if !wait && !isOpen {
		return realtime.CodeUnavailable
	}
	return 0
}

func (c *Core) isWanted(channel string) bool {
	s := c.subscriptions[channel]
	return s != nil && s.wanted()
}

// enterOrLeave keeps what the subscription enters with on later lines (SUB-12).
func (c *Core) enterOrLeave(body wire.Command) {
	switch body := body.(type) {
	case *wire.Enter:
		c.subscriptions[body.Channel].enter = entering(body)
	case *wire.Leave:
		c.subscriptions[body.Channel].enter = realtime.Payload{}
	}
}

// entering is the payload of an enter; without one it is null, for an item without a payload does not enter.
func entering(body *wire.Enter) realtime.Payload {
	if body.Payload.IsNone() {
		return realtime.JSON([]byte("null"))
	}
	return body.Payload
}

// withID gives a publish or an update an idempotency id where it has none (CLI-7).
func (c *Core) withID(body wire.Command) (withID wire.Command, idempotent bool) {
	switch body := body.(type) {
	case *wire.Publish:
		if body.ID == "" {
			copied := *body
			copied.ID = c.drawID()
			return &copied, true
		}
		return body, true
	case *wire.Update:
		if body.ID == "" {
			copied := *body
			copied.ID = c.drawID()
			return &copied, true
		}
		return body, true
	}
	return body, false
}

// drawID draws 128 bits.
func (c *Core) drawID() string {
	var parts [4]uint32
	for i := range parts {
		parts[i] = uint32(c.options.Random() * (1 << 32))
	}
	return fmt.Sprintf("%08x%08x%08x%08x", parts[0], parts[1], parts[2], parts[3])
}

func (c *Core) fail(request int64, code realtime.Code) {
	c.put(&Failed{Request: request, Error: wire.Error{Code: code, Name: code.Name()}})
}

// done takes a command out of the sums.
func (c *Core) done(answered *command) {
	c.commands.count--
	c.commands.bytes -= answered.size
}

// failInFlight ends what was sent on the line that is gone. Where the client stays wanted, idempotent commands wait for
// the next line instead (CLI-7).
func (c *Core) failInFlight(closing bool) {
	var again []*command
	for _, sent := range c.inFlightRequests() {
		if sent.resend && !closing {
			sent.tried = true
			again = append(again, sent)
			continue
		}
		c.done(sent)
		c.fail(sent.request, realtime.CodeTimeout)
	}
	c.commands.waiting = append(again, c.commands.waiting...)
}

// inFlightRequests returns the application's commands on the line, in their order.
func (c *Core) inFlightRequests() []*command {
	var sent []*command
	for _, each := range c.line.inFlight {
		if each.kind == kindRequest {
			sent = append(sent, each)
		}
	}
	slices.SortFunc(sent, func(a, b *command) int { return int(a.number) - int(b.number) })
	return sent
}

func (c *Core) failWaiting() {
	for _, waiting := range c.commands.waiting {
		c.done(waiting)
		code := realtime.CodeUnavailable
		if waiting.tried {
			code = realtime.CodeTimeout // It may have been carried out.
		}
		c.fail(waiting.request, code)
	}
	c.commands.waiting = nil
}

// receiveReply takes a message with an id: the answer to a command of this line.
func (c *Core) receiveReply(now int64, message *wire.ServerMessage) {
	sent := c.line.inFlight[message.ID]
	if sent == nil || message.Body == nil {
		return
	}
	failure, failed := message.Body.(*wire.Error)
	if c.line.phase != phaseLive && sent.kind != kindConnect {
		return // Nothing is answered before connect (MSG-4).
	}
	delete(c.line.inFlight, message.ID)
	switch sent.kind {
	case kindRequest:
		c.receiveAnswer(now, sent, message.Body)
	case kindConnect:
		if connected, ok := message.Body.(*wire.Connected); ok {
			c.receiveConnected(now, connected)
		} else if failed {
			c.endByCode(now, failure.Code, failure.Message, 1000)
		}
	case kindSubscribe:
		if failed {
			c.subscribeFailed(now, sent.channels, failure)
		}
	case kindPing:
		c.put(&RoundTrip{MS: now - sent.sentAt})
	case kindRefresh:
		c.receiveRefresh(now, sent.channel, message.Body)
	case kindPage:
		c.receivePage(now, sent, message.Body)
	}
}

func (c *Core) receiveAnswer(now int64, sent *command, body wire.Body) {
	c.done(sent)
	failure, failed := body.(*wire.Error)
	if _, ping := sent.command.(*wire.Ping); ping {
		c.put(&RoundTrip{MS: now - sent.sentAt})
	}
	if !failed {
		c.put(&Reply{Request: sent.request, Result: body})
		return
	}
	if enter, ok := sent.command.(*wire.Enter); ok {
		c.enterRefused(enter)
	}
	c.put(&Failed{Request: sent.request, Error: *failure})
}

// enterRefused: what the server refused is not asked again with every line.
func (c *Core) enterRefused(enter *wire.Enter) {
	s := c.subscriptions[enter.Channel]
	if s == nil {
		return
	}
	if refused := entering(enter); s.enter.Encoding == refused.Encoding && bytes.Equal(s.enter.Bytes, refused.Bytes) {
		s.enter = realtime.Payload{}
	}
}

// subscribeFailed takes the refusal of a whole subscribe: it counts for each of its channels.
func (c *Core) subscribeFailed(now int64, channels []string, failure *wire.Error) {
	for _, channel := range channels {
		c.receiveSubscribed(now, &wire.Subscribed{Channel: channel, Error: failure})
	}
}

func (c *Core) receiveRefresh(now int64, channel string, body wire.Body) {
	if channel == "" {
		c.receiveRefreshed(now, &c.token, c.options.TokenSource, body)
		return
	}
	if s := c.subscriptions[channel]; s != nil && s.wanted() {
		c.receiveRefreshed(now, &s.token, s.options.TokenSource, body)
	}
}

func (c *Core) receivePage(now int64, sent *command, body wire.Body) {
	s := sent.subscription
	if !s.live || s.generation != sent.generation || c.subscriptions[s.channel] != s {
		return // It is void: of an older answer, or of a subscription that was left.
	}
	switch body := body.(type) {
	case *wire.StatePage:
		c.sendPage(now, s, c.receiveStatePage(s, body))
	case *wire.PresencePage:
		c.sendPage(now, s, c.receivePresencePage(s, body))
	}
}
