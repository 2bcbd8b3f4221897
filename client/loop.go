package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/bellwire/bellwire/client/core"
	"github.com/bellwire/bellwire/realtime"
)

// noticesMax is how many changes of the connection wait for a callback that is slow.
const noticesMax = 1024

// run owns the core until Close.
func (c *Client) run() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case input := <-c.inputs:
			input(c.now())
		case <-timer.C:
			c.core.Tick(c.now())
		case <-c.context.Done():
			c.end()
			return
		}
		now := c.now()
		c.perform(now)
		if at, ok := c.core.Deadline(); ok {
			timer.Reset(time.Duration(max(0, at-now)) * time.Millisecond)
		} else {
			timer.Stop()
		}
	}
}

// now is the time of the core. When the machine has slept, the core is told (CLI-9).
func (c *Client) now() int64 {
	present := time.Now()
	now, woke := c.clock.read(present.Sub(c.start), present.Round(0).Sub(c.start.Round(0)))
	if woke {
		c.core.Woke(now)
	}
	return now
}

// end is the last of the loop: nobody waits for anything any more.
func (c *Client) end() {
	c.core.Close(c.now())
	c.perform(c.now())
	for _, waiter := range c.waiters {
		waiter <- ErrClosed
	}
	c.waiters = nil
	for _, w := range c.watched {
		w.end(ErrClosed)
	}
	for _, line := range c.lines {
		line.close(1000)
	}
	if c.notices != nil {
		c.notices.end(ErrClosed)
	}
}

// perform carries out what the core asks, in its order.
func (c *Client) perform(now int64) {
	for _, output := range c.core.Drain() {
		switch o := output.(type) {
		case *core.Open:
			c.openLine(o.Line, o.URL)
		case *core.Send:
			c.lines[o.Line].send(&o.Message)
		case *core.Close:
			if line := c.lines[o.Line]; line != nil {
				line.close(o.Code)
			}
		case *core.FetchToken:
			c.fetchToken()
		case *core.FetchSubscriptionToken:
			c.fetchSubscriptionToken(o.Channel)
		case *core.StateChange:
			c.stateChanged(now, o)
		case *core.Reply:
			c.answer(o.Request, o.Result, nil)
		case *core.Failed:
			c.answer(o.Request, nil, errorOf(o.Error.Code, o.Error.Message))
		case *core.ServerError:
			c.notify(&serverError{errorOf(o.Error.Code, o.Error.Message)})
		case *core.RoundTrip:
			c.notify(&roundTrip{time.Duration(o.MS) * time.Millisecond})
		case *core.Notice:
			c.options.Logger.Debug("the reconnect window has changed", "window_ms", o.WindowMS)
		default:
			c.performForChannel(now, output)
		}
	}
}

func (c *Client) performForChannel(now int64, output core.Output) {
	switch o := output.(type) {
	case *core.Publication:
		c.tell(o.Subscription, publicationOf(o.Publication, o.Epoch, o.Replayed))
	case *core.SubscriptionStarted:
		c.started(o)
	case *core.Missed:
		c.tell(o.Channel, &Missed{From: o.From, To: o.To})
	case *core.SubscriptionStopped:
		c.stopped(now, o)
	case *core.ChannelState:
		c.tell(o.Channel, &StateChanged{
			Set: o.Set, Removed: o.Removed, Reset: o.Reset, From: o.From, Time: timeOf(o.TimeMS), Replayed: o.Replayed, Position: o.Position,
		})
	case *core.PresenceChange:
		c.tell(o.Channel, &PresenceChanged{Version: o.Version, Count: int(o.Count), Set: o.Set, Left: o.Left, Reset: o.Reset})
	}
}

func (c *Client) tell(channel string, event Event) {
	if w := c.watched[channel]; w != nil {
		w.tell(event)
	}
}

func (c *Client) started(o *core.SubscriptionStarted) {
	w := c.watched[o.Channel]
	if w == nil {
		return
	}
	started := &Started{Top: o.Top}
	if o.Epoch != "" {
		started.Position = realtime.Position{Epoch: o.Epoch, Offset: o.Offset}
	}
	if o.Recovered != nil {
		started.Resumed, started.Recovered = true, *o.Recovered
	}
	w.tell(started)
	w.settle(nil)
}

func (c *Client) stopped(now int64, o *core.SubscriptionStopped) {
	w := c.watched[o.Channel]
	switch {
	case w == nil:
	case o.Again:
		w.tell(&Stopped{Code: o.Code, Reason: o.Reason, RetryIn: time.Duration(max(0, o.RetryAtMS-now)) * time.Millisecond})
	default:
		w.end(errorOf(o.Code, o.Reason))
	}
}

func (c *Client) stateChanged(now int64, o *core.StateChange) {
	c.last = ConnectionState{State: o.State, Session: sessionOf(o.Session), Code: o.Code, Reason: o.Reason}
	if o.State == Waiting {
		c.last.RetryIn = time.Duration(max(0, o.RetryAtMS-now)) * time.Millisecond
	}
	c.options.Logger.Debug("connection", "state", string(o.State), "code", o.Code, "reason", o.Reason, "retry_in", c.last.RetryIn)
	c.notify(&c.last)
	switch o.State {
	case Connected:
		for _, line := range c.lines {
			line.connected(o.Session.MessageBytes)
		}
		c.releaseWaiters(nil)
	case Closed:
		err := errorOfEnd(o.Code, o.Reason)
		c.releaseWaiters(err)
		if o.Code != 0 {
			for _, w := range c.watched {
				w.end(err) // Nothing comes before the application connects again.
			}
		}
	}
}

func (c *Client) releaseWaiters(err error) {
	for _, waiter := range c.waiters {
		waiter <- err
	}
	c.waiters = nil
}

// What is told to the callbacks of Options travels as events of a stream.
type (
	serverError struct{ err error }
	roundTrip   struct{ time time.Duration }
)

func (*ConnectionState) isEvent() {}
func (*serverError) isEvent()     {}
func (*roundTrip) isEvent()       {}

func (c *Client) notify(event Event) {
	if c.notices == nil {
		return
	}
	if state, ok := event.(*ConnectionState); ok {
		copied := *state
		event = &copied
	}
	c.notices.push(event)
}

// startCallbacks starts the goroutine that calls the callbacks of Options.
func (c *Client) startCallbacks() {
	if c.options.OnState == nil && c.options.OnError == nil && c.options.OnRoundTrip == nil {
		return
	}
	c.notices = newStream(noticesMax)
	c.group.Go("callbacks", func() {
		for {
			// The context is not the client's: the last state is told too.
			events, err := c.notices.next(context.Background())
			for _, event := range events {
				c.guard("callback", func() { c.callBack(event) })
			}
			if err != nil {
				return
			}
		}
	}, nil)
}

func (c *Client) callBack(event Event) {
	switch event := event.(type) {
	case *ConnectionState:
		callWith(c.options.OnState, *event)
	case *serverError:
		callWith(c.options.OnError, event.err)
	case *roundTrip:
		callWith(c.options.OnRoundTrip, event.time)
	}
}

func (c *Client) fetchToken() {
	c.group.Go("token", func() {
		token, err := c.ask(func() (string, error) { return c.options.TokenSource(c.context) })
		c.do(func(now int64) {
			if err != nil {
				c.core.TokenFailed(now, errors.Is(err, ErrNoToken))
				return
			}
			c.core.TokenReady(now, token)
		})
	}, nil)
}

func (c *Client) fetchSubscriptionToken(channel string) {
	source := c.watched[channel].options.TokenSource
	c.group.Go("token", func() {
		token, err := c.ask(func() (string, error) { return source(c.context, channel) })
		c.do(func(now int64) {
			if err != nil {
				c.core.SubscriptionTokenFailed(now, channel, errors.Is(err, ErrNoToken))
				return
			}
			c.core.SubscriptionTokenReady(now, channel, token)
		})
	}, nil)
}

// ask asks a token source; one that panics, or answers nothing, has failed.
func (c *Client) ask(source func() (string, error)) (token string, err error) {
	err = errors.New("the token source panicked")
	c.guard("token source", func() { token, err = source() })
	if err == nil && token == "" {
		err = errors.New("the token source answered an empty token")
	}
	if err != nil {
		c.options.Logger.Warn("no token came", "error", err)
	}
	return token, err
}

func logPanic(logger *slog.Logger, task string, cause any) {
	logger.Error("callback panicked", "task", task, "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
}
