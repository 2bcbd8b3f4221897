package session

import (
	"time"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
	"github.com/bellwire/bellwire/realtime/hub"
)

// replay is what a subscription is being sent of the past, as there is room for it. Only one subscription replays at a
// time, so the entries that a slow client keeps alive are those of one channel.
type replay struct {
	subscription *Subscription
	publications []*realtime.Publication
}

// nextWish goes on with a connect or subscribe.
func (c *Core) nextWish(wishes []Wish, now time.Time) Task {
	for {
		if c.replay.subscription != nil {
			if task, done := c.goOn(); !done {
				return task
			}
			continue
		}
		if c.phase == ended {
			return nil
		}
		if c.request.next == len(wishes) {
			c.finishWishes()
			return nil
		}
		if !c.hasRoom() {
			return nil
		}
		wish := &wishes[c.request.next]
		place, found := c.find(wish.Channel)
		if found && c.subscriptions[place].stage == ending {
			return nil // until FinishChore
		}
		c.request.next++
		if task := c.join(wish, place, found); task != nil {
			return task
		}
	}
}

func (c *Core) finishWishes() {
	if _, isConnect := c.request.command.(*Connect); isConnect {
		c.request = progress{} // its reply came first (CNT-3)
		return
	}
	c.reply(&Done{DoneSubscribe})
}

// join begins with one wish; nil: it was refused.
func (c *Core) join(wish *Wish, place int, found bool) Task {
	if err := c.checkWish(wish, found); err != nil {
		c.say(0, &Subscribed{Channel: wish.Channel, Err: err})
		return nil
	}
	var s *Subscription
	if found {
		s = c.subscriptions[place]
		s.stage, s.held = joining, new(held)
	} else {
		s = c.insert(wish.Channel)
	}
	s.mode = wish.Presence
	return c.give(&Join{Subscription: s, Wish: wish, Again: found})
}

func (c *Core) checkWish(wish *Wish, found bool) *realtime.Error {
	if err := checkName(wish.Channel); err != nil {
		return err
	}
	if realtime.IsPattern(wish.Channel) {
		if field := fieldWithoutPattern(wish); field != "" {
			return realtime.NewError(realtime.CodeBadRequest, field+" does not go with a pattern") // SUB-10
		}
	}
	if !found && len(c.subscriptions) >= c.config.SubscriptionsMax {
		return realtime.Errorf(realtime.CodeLimitExceeded, "the connection has its %d subscriptions", c.config.SubscriptionsMax)
	}
	return nil
}

func checkName(name string) *realtime.Error {
	if realtime.IsPattern(name) {
		return realtime.AsError(realtime.CheckPattern(name))
	}
	return realtime.AsError(realtime.CheckChannel(name))
}

// fieldWithoutPattern names a field that only a channel can have, "" when there is none.
func fieldWithoutPattern(wish *Wish) string {
	switch {
	case wish.Since != nil:
		return "since"
	case wish.Rewind != 0:
		return "rewind"
	case wish.Snapshot:
		return "state"
	case wish.Presence != hub.PresenceNone:
		return "presence"
	case !wish.Enter.IsNone():
		return "enter"
	}
	return ""
}

// FinishJoin answers a Join. The driver has set Handle when it joined the hub, also when it failed after that.
func (c *Core) FinishJoin(j Joined, err error, now time.Time) {
	join := c.task.(*Join)
	s := join.Subscription
	c.task = nil
	s.entered = s.entered || j.Entered
	if c.phase == ended {
		return
	}
	if err != nil {
		c.conclude(s)
		c.say(0, &Subscribed{Channel: s.channel, Err: realtime.AsError(err)})
		c.revoke()
		return
	}
	s.expires = 0
	if j.Expires > 0 {
		s.expires = c.at(now) + j.Expires
	}
	position := j.Resumption.Position
	s.epoch, s.offset = position.Epoch, position.Offset
	if j.Presence != nil {
		s.presence = j.Presence.Version
	}
	c.say(0, &Subscribed{
		Channel: s.channel, Position: position, Top: j.Resumption.Top, Resumed: join.Wish.Since != nil,
		Recovered: j.Resumption.Recovered, Missed: j.Resumption.Missed, Snapshot: j.Resumption.Snapshot,
		Presence: j.Presence, CountOnly: join.Wish.Presence == hub.PresenceCount, Expires: j.Expires,
	})
	c.replay = replay{s, j.Resumption.Publications}
	c.revoke()
}

// FinishResume answers a Resume. When the log no longer has what follows, the subscription ends: the client subscribes
// again and is told what it missed.
func (c *Core) FinishResume(r broker.Resumption, err error) {
	s := c.task.(*Resume).Subscription
	c.task = nil
	switch {
	case c.phase == ended:
	case err != nil || !r.Recovered:
		c.endSubscription(s, realtime.CodeInsufficient, "the channel's log went on faster than the connection")
	default:
		c.replay.publications = r.Publications
	}
	c.revoke()
}

// goOn queues what the replaying subscription gets next. done says that it is live; without it, the task, or nil for
// want of room.
func (c *Core) goOn() (task Task, done bool) {
	s := c.replay.subscription
	for len(c.replay.publications) > 0 {
		if !c.hasRoom() {
			return nil, false
		}
		c.replayOne(s, c.replay.publications[0])
		c.replay.publications = c.replay.publications[1:]
	}
	if s.held.lost {
		s.held.lost = false // what comes from now on is held again
		return c.give(&Resume{s, realtime.Position{Epoch: s.epoch, Offset: s.offset}}), false
	}
	c.replay = replay{}
	c.release(s)
	return nil, true
}

func (c *Core) replayOne(s *Subscription, p *realtime.Publication) {
	if p.SkipConnection == c.connection {
		p = p.Mark() // PUB-2
	}
	s.offset = p.Offset
	c.queue.push(item{bytes: c.protocol.EncodePublication(p), messages: 1, asked: true, subscription: s})
}

// release makes a subscription live and queues what it holds, in order and without what was replayed.
func (c *Core) release(s *Subscription) {
	h := s.held
	s.stage, s.held = live, nil
	for i := range h.items {
		if s.stage != live || c.phase == ended {
			return
		}
		c.deliver(s, &h.items[i], false)
	}
	for _, d := range h.presence {
		if s.stage == live && c.phase == connected && d.Change.Version > s.presence {
			c.deliverPresence(s, d)
		}
	}
	if h.presenceLost && s.stage == live && c.phase == connected {
		c.endSubscription(s, realtime.CodeInsufficient, "presence changed faster than the subscription began")
	}
}

// revoke ends what was revoked while a task was in flight.
func (c *Core) revoke() {
	revoked := c.revoked
	c.revoked = nil
	for _, r := range revoked {
		if r.subscription.stage != ending {
			c.endSubscription(r.subscription, r.code, r.reason)
		}
	}
}
