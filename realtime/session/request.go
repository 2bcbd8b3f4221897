package session

import (
	"time"

	"github.com/bellwire/bellwire/realtime"
)

// progress is the command that is being carried out; the zero progress is none.
type progress struct {
	id      uint32
	name    string
	command Command
	started bool // its task has been given out
	next    int  // of the wishes or channels
}

// Next returns what is to be done now for the present command. nil with Busy: wait for Written or FinishChore, then ask
// again. nil without: Receive the next one.
func (c *Core) Next(now time.Time) Task {
	if c.task != nil || c.phase == ended || c.request.command == nil {
		return nil
	}
	if !c.hasRoom() {
		return nil
	}
	switch m := c.request.command.(type) {
	case *Connect:
		if !c.request.started {
			c.request.started, c.phase = true, admitting
			return c.give(&Admit{m})
		}
		return c.nextWish(m.Subscribe, now)
	case *Subscribe:
		return c.nextWish(m.Wishes, now)
	case *Unsubscribe:
		return c.nextPart(m)
	case *Enter:
		return c.give(&Do{m, c.subscription(m.Channel)})
	case *Leave:
		return c.give(&Do{m, c.subscription(m.Channel)})
	case *Refresh:
		return c.give(&Do{m, c.subscription(m.Channel)})
	}
	return c.give(&Do{Command: c.request.command})
}

func (c *Core) give(t Task) Task {
	c.task = t
	return t
}

// hasRoom reports whether more may be made for the client. A quarter of the limits is enough to keep the line busy, and
// the most that one answer can add to it is bounded by the backend.
func (c *Core) hasRoom() bool {
	asked := &c.queue.asked
	return asked.bytes < c.config.QueueBytesMax/4 && asked.messages < c.config.QueueMessagesMax/4
}

// reply ends the present command.
func (c *Core) reply(m Message) {
	if c.request.id != 0 { // MSG-3
		c.say(c.request.id, m)
	}
	c.request = progress{}
}

// nextPart gives the next channel of an unsubscribe that there is a subscription to (UNS-1).
func (c *Core) nextPart(m *Unsubscribe) Task {
	for c.request.next < len(m.Channels) {
		channel := m.Channels[c.request.next]
		place, found := c.find(channel)
		if found && c.subscriptions[place].stage == ending {
			return nil // until FinishChore
		}
		c.request.next++
		if found {
			s := c.subscriptions[place]
			s.stage, s.held = ending, nil
			return c.give(&Part{s})
		}
	}
	c.reply(&Done{DoneUnsubscribe})
	return nil
}

// FinishPart answers a Part.
func (c *Core) FinishPart() {
	part := c.task.(*Part)
	c.task = nil
	c.FinishChore(part.Subscription)
}

// FinishAdmit answers an Admit. An error of the disconnect kind ends the session (CNT-5).
func (c *Core) FinishAdmit(a Admitted, err error, now time.Time) {
	c.task = nil
	if c.phase == ended {
		return
	}
	if err != nil {
		code := realtime.CodeOf(err)
		if code.Kind() != realtime.KindDisconnect {
			code = realtime.CodeServerError
		}
		c.End(code, "")
		return
	}
	c.phase, c.connectBy, c.user = connected, 0, a.User
	if a.Expires > 0 {
		c.expires = c.at(now) + a.Expires
	}
	c.say(c.request.id, &Connected{
		Connection: c.connection, User: a.User, Server: c.config.Server, Node: c.config.Node, Ping: c.config.Ping,
		Pong: c.config.Pong, Expires: a.Expires, Window: a.Window, Time: now, MessageBytes: c.config.MessageBytes,
	})
}

// FinishDo answers a Do: with the reply, or with an error.
func (c *Core) FinishDo(m Message, err error, now time.Time) {
	do := c.task.(*Do)
	c.task = nil
	if err == nil {
		c.settle(do, m, now)
	}
	if c.phase == ended {
		return
	}
	if do.Subscription != nil && do.Subscription.stage == ending {
		c.leave(do.Subscription)
	}
	if err != nil {
		r := c.request
		c.request = progress{}
		c.refuse(r.id, r.name, realtime.AsError(err), c.at(now))
	} else {
		c.reply(m)
	}
	c.revoke()
}

// settle keeps what a command changed in the session itself.
func (c *Core) settle(do *Do, m Message, now time.Time) {
	s := do.Subscription
	switch do.Command.(type) {
	case *Enter:
		if s != nil {
			s.entered = true
		}
	case *Leave:
		if s != nil {
			s.entered = false
		}
	case *Refresh:
		expires := time.Duration(0)
		if left := m.(*Refreshed).Expires; left > 0 {
			expires = c.at(now) + left
		}
		if s != nil {
			s.expires = expires
		} else {
			c.expires = expires
		}
	}
}
