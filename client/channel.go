package client

import (
	"context"
	"maps"
	"slices"

	"github.com/bellwire/bellwire/client/core"
	"github.com/bellwire/bellwire/realtime"
)

// Channel is a channel or pattern (NAM-4) of a Client. It holds nothing and may be thrown away; what is subscribed
// stays so until Unsubscribe.
type Channel struct {
	client  *Client
	name    string
	options *ChannelOptions // nil: those the subscription has
}

// Channel returns the channel or pattern. Options other than nil are asked for when it is subscribed, and then replace
// those of a subscription that is there.
func (c *Client) Channel(name string, options *ChannelOptions) *Channel {
	ch := &Channel{client: c, name: name}
	if options != nil {
		copied := *options
		ch.options = &copied
	}
	return ch
}

// Name is the channel's name, or the pattern.
func (ch *Channel) Name() string { return ch.name }

// watched is what the driver holds of a channel that is or was subscribed. It is owned by the loop.
type watched struct {
	options *ChannelOptions
	streams []*stream
	waiters []chan error // of Subscribe
}

// watch is called by the loop.
func (c *Client) watch(ch *Channel) *watched {
	w := c.watched[ch.name]
	if w == nil {
		w = &watched{options: &ChannelOptions{}}
		c.watched[ch.name] = w
	}
	return w
}

func (w *watched) tell(event Event) {
	w.streams = slices.DeleteFunc(w.streams, func(s *stream) bool { return !s.push(event) })
}

// settle answers those who wait for the subscription.
func (w *watched) settle(err error) {
	for _, waiter := range w.waiters {
		waiter <- err
	}
	w.waiters = nil
}

// end tells everybody that nothing comes any more.
func (w *watched) end(err error) {
	for _, s := range w.streams {
		s.end(err)
	}
	w.streams = nil
	w.settle(err)
}

// Subscribe makes the channel wanted, and waits until the server has answered: nothing published after that will be
// missed (SUB-2). A refusal is a *realtime.Error. When ctx ends first, the channel stays wanted.
//
// What comes is for the streams that are there: begin one before, or let it subscribe by itself.
func (ch *Channel) Subscribe(ctx context.Context) error {
	options, err := ch.coreOptions()
	if err != nil {
		return err
	}
	subscribed := make(chan error, 1)
	if !ch.client.do(func(now int64) {
		w := ch.client.watch(ch)
		ch.subscribe(now, w, options)
		if ch.client.core.Subscription(ch.name).State == Subscribed {
			subscribed <- nil
			return
		}
		w.waiters = append(w.waiters, subscribed)
	}) {
		return ErrClosed
	}
	return await(ctx, subscribed)
}

// subscribe is called by the loop.
func (ch *Channel) subscribe(now int64, w *watched, options *core.SubscribeOptions) {
	if ch.options == nil || w.options == ch.options {
		options = nil // It is subscribed with them, or with others that stay.
	} else {
		w.options = ch.options
	}
	ch.client.core.Subscribe(now, ch.name, options)
}

// Unsubscribe makes the channel unwanted. Its streams end with code unsubscribed, and what was held of it is forgotten.
func (ch *Channel) Unsubscribe() {
	ch.client.do(func(now int64) {
		ch.client.core.Unsubscribe(now, ch.name)
		if w := ch.client.watched[ch.name]; w != nil {
			w.end(realtime.NewError(realtime.CodeUnsubscribed, "the application unsubscribed"))
			delete(ch.client.watched, ch.name)
		}
	})
}

// forget drops a stream that has no reader any more.
func (ch *Channel) forget(s *stream) {
	ch.client.do(func(int64) {
		if w := ch.client.watched[ch.name]; w != nil {
			w.streams = slices.DeleteFunc(w.streams, func(other *stream) bool { return other == s })
		}
	})
}

// Snapshot is what the client holds of a channel at one moment.
type Snapshot struct {
	State    SubscriptionState
	Position realtime.Position // everything up to it has been given to the streams; zero: none held

	Entries map[string]realtime.Entry  // of the state, where ChannelOptions.State asked for it
	Count   int                        // users present, where ChannelOptions.Presence asked for it
	Members map[string]realtime.Member // the users, where it asked for them
}

// Snapshot returns what is held now. After Close it is empty.
func (ch *Channel) Snapshot() Snapshot {
	result := make(chan Snapshot, 1)
	if !ch.client.do(func(int64) {
		view := ch.client.core.Subscription(ch.name)
		result <- Snapshot{
			State: view.State, Position: view.Position,
			Entries: maps.Clone(view.Entries), Count: int(view.Count), Members: maps.Clone(view.Members),
		}
	}) {
		return Snapshot{State: Unsubscribed}
	}
	return <-result
}

func (ch *Channel) bufferMax() int {
	if ch.options == nil || ch.options.BufferMax <= 0 {
		return bufferMax
	}
	return ch.options.BufferMax
}

// coreOptions are the options in the core's words; nil for none.
func (ch *Channel) coreOptions() (*core.SubscribeOptions, error) {
	if ch.options == nil {
		return nil, nil
	}
	options := &core.SubscribeOptions{
		Since:       ch.options.Since,
		Rewind:      limitOf(ch.options.Rewind),
		State:       ch.options.State,
		Presence:    ch.options.Presence,
		Token:       ch.options.Token,
		TokenSource: ch.options.TokenSource != nil,
	}
	if ch.options.Enter == nil {
		return options, nil
	}
	enter, err := Payload(ch.options.Enter)
	if err != nil {
		return nil, err
	}
	if enter.Encoding != realtime.EncodingJSON && !ch.client.options.Format.Binary() {
		return nil, realtime.NewError(realtime.CodeBadRequest, "the payload to enter with must be JSON in this format")
	}
	options.Enter = enter
	return options, nil
}
