package client

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/bellwire/bellwire/protocol/native/wire"
	"github.com/bellwire/bellwire/realtime"
)

// Pending is a command that has been given to the client and may not have its answer yet.
type Pending[T any] struct {
	client *Client
	done   chan struct{} // closed when the answer is there

	// Set before done is closed.
	value T
	err   error

	number int64 // set by the loop before it reads a Cancel of this
}

// Done is closed when the answer is there.
func (p *Pending[T]) Done() <-chan struct{} { return p.done }

// Wait waits for the answer. When ctx ends first, a command that was never sent is forgotten, and one that was may still
// be carried out.
func (p *Pending[T]) Wait(ctx context.Context) (T, error) {
	select {
	case <-p.done:
		return p.value, p.err
	case <-ctx.Done():
	}
	p.client.do(func(int64) {
		if p.client.core.Cancel(p.number) {
			delete(p.client.requests, p.number)
		}
	})
	var none T
	return none, context.Cause(ctx)
}

// start gives a command to the core; take makes the result of the answer. It returns before the command is sent, and
// commands started one after another are sent in that order.
func start[B wire.Body, T any](c *Client, command wire.Command, wait bool, take func(B) T) *Pending[T] {
	p := &Pending[T]{client: c, done: make(chan struct{})}
	// What cannot be encoded must not reach the core, which would wait for its answer.
	if _, err := wire.AppendClient(nil, c.options.Format, &wire.ClientMessage{ID: 1, Command: command}); err != nil {
		return p.failed(realtime.NewError(realtime.CodeBadRequest, err.Error()))
	}
	if !c.do(func(now int64) {
		c.request++
		p.number = c.request
		c.requests[p.number] = func(body wire.Body, err error) {
			defer close(p.done)
			answer, ok := body.(B)
			switch {
			case err != nil:
				p.err = err
			case !ok:
				p.err = fmt.Errorf("client: the server answered %s with a %T", command.Name(), body)
			default:
				p.value = take(answer)
			}
		}
		c.core.Request(now, p.number, command, wait)
	}) {
		return p.failed(ErrClosed)
	}
	return p
}

func (p *Pending[T]) failed(err error) *Pending[T] {
	p.err = err
	close(p.done)
	return p
}

// answer is called by the loop.
func (c *Client) answer(request int64, body wire.Body, err error) {
	if answered := c.requests[request]; answered != nil {
		delete(c.requests, request)
		answered(body, err)
	}
}

// Published says where a publication stands (PUB-1).
type Published struct {
	realtime.Position      // zero on a channel without log
	Duplicate         bool // it was there before (POS-6)
}

// PublishOptions are what a publication may have. The zero value works, and so does nil.
type PublishOptions struct {
	// ID makes the publication idempotent over processes (POS-6); by default the client draws one.
	ID string

	// NoEcho keeps the publication from this client's own subscription (PUB-2).
	NoEcho bool

	// NoWait fails at once where the line is down, instead of waiting, and never sends twice: for what is worthless later.
	NoWait bool
}

// Publish publishes data, see Payload, and waits until the server has stored it (PUB-1). While the line is down it waits.
func (ch *Channel) Publish(ctx context.Context, data any, options *PublishOptions) (Published, error) {
	return ch.PublishAsync(data, options).Wait(ctx)
}

// PublishAsync is Publish without waiting: many may be on their way, and they are stored in the order of the calls.
func (ch *Channel) PublishAsync(data any, options *PublishOptions) *Pending[Published] {
	payload, err := Payload(data)
	if err != nil {
		return (&Pending[Published]{client: ch.client, done: make(chan struct{})}).failed(err)
	}
	if options == nil {
		options = &PublishOptions{}
	}
	command := &wire.Publish{Channel: ch.name, Payload: payload, ID: options.ID, NoEcho: options.NoEcho}
	return start(ch.client, command, !options.NoWait, func(p *wire.Published) Published {
		return Published{Position: positionOf(p.Position.Epoch, p.Position.Offset), Duplicate: p.Duplicate}
	})
}

func positionOf(epoch string, offset uint64) realtime.Position {
	if epoch == "" {
		return realtime.Position{}
	}
	return realtime.Position{Epoch: epoch, Offset: offset}
}

// Updated says what became of a change of the state (STA-3). Value and Version are the key's after it.
type Updated struct {
	Applied   bool
	Value     realtime.Payload
	Version   uint64
	Position  realtime.Position
	Duplicate bool
}

// Set sets a key of the channel's state (STA-2); value as Payload takes it.
func (ch *Channel) Set(ctx context.Context, key string, value any) (Updated, error) {
	return ch.updateValue(ctx, &wire.Update{Op: wire.OpSet, Key: key}, value)
}

// SetIf sets a key only when its version is the given one; 0: only when it is absent.
func (ch *Channel) SetIf(ctx context.Context, key string, version uint64, value any) (Updated, error) {
	return ch.updateValue(ctx, &wire.Update{Op: wire.OpSetIf, Key: key, Version: version}, value)
}

// SetGreater sets a key to a number only when it is greater than the present one.
func (ch *Channel) SetGreater(ctx context.Context, key string, value float64) (Updated, error) {
	return ch.updateValue(ctx, &wire.Update{Op: wire.OpSetGreater, Key: key}, value)
}

// Increment adds to a key that is a number; an absent one counts as 0.
func (ch *Channel) Increment(ctx context.Context, key string, by float64) (Updated, error) {
	return ch.update(ctx, &wire.Update{Op: wire.OpIncrement, Key: key, By: by})
}

// Remove removes a key. One that is absent is not an error, and not Applied.
func (ch *Channel) Remove(ctx context.Context, key string) (Updated, error) {
	return ch.update(ctx, &wire.Update{Op: wire.OpRemove, Key: key})
}

func (ch *Channel) updateValue(ctx context.Context, update *wire.Update, value any) (Updated, error) {
	payload, err := Payload(value)
	if err != nil {
		return Updated{}, err
	}
	update.Value = payload
	return ch.update(ctx, update)
}

func (ch *Channel) update(ctx context.Context, update *wire.Update) (Updated, error) {
	update.Channel = ch.name
	return start(ch.client, update, true, func(u *wire.Updated) Updated {
		return Updated{
			Applied: u.Applied, Value: u.Value, Version: u.Version,
			Position: positionOf(u.Epoch, u.Offset), Duplicate: u.Duplicate,
		}
	}).Wait(ctx)
}

// HistoryQuery says which publications to read. The zero value works, and so does nil.
type HistoryQuery struct {
	Since   *realtime.Position // nil: from the oldest held, or from the newest when Reverse
	Limit   int                // 1 to 1,000; 0: 100
	Reverse bool               // newest first
}

// HistoryPage is a stretch of the log (HIS-1).
type HistoryPage struct {
	Epoch        string
	Top          uint64
	Publications []*Publication // without changes of the state
	More         bool           // there is more in that direction
	Missed       *Missed        // what of the asked range is gone (HIS-2)
	Next         realtime.Position
}

// History reads the log of the channel.
func (ch *Channel) History(ctx context.Context, query *HistoryQuery) (HistoryPage, error) {
	if query == nil {
		query = &HistoryQuery{}
	}
	command := &wire.History{Channel: ch.name, Since: query.Since, Limit: limitOf(query.Limit), Reverse: query.Reverse}
	return start(ch.client, command, true, func(h *wire.HistoryPage) HistoryPage {
		return historyOf(ch.name, h)
	}).Wait(ctx)
}

func limitOf(limit int) uint32 { return uint32(min(max(limit, 0), math.MaxInt32)) }

func historyOf(channel string, h *wire.HistoryPage) HistoryPage {
	page := HistoryPage{Epoch: h.Epoch, Top: h.Top, More: h.More}
	if h.Missed != nil {
		page.Missed = &Missed{From: h.Missed.From, To: h.Missed.To}
	}
	for i := range h.Publications {
		p := &h.Publications[i]
		page.Next = positionOf(h.Epoch, p.Offset)
		if p.State != nil || p.Skipped {
			continue
		}
		publication := publicationOf(p, h.Epoch, true)
		publication.Channel = channel
		page.Publications = append(page.Publications, publication)
	}
	return page
}

// StateQuery says which keys to read. The zero value works, and so does nil.
type StateQuery struct {
	Key   string // one key only
	After string // keys after this one
	Limit int    // 1 to 1,000; 0: 1,000
}

// StatePage is a part of the state as it was at AsOf (STA-1). Entries are in the order of their keys.
type StatePage struct {
	Epoch   string
	AsOf    uint64
	Entries []realtime.Entry
	More    bool
}

// ReadState reads the channel's state from the server. For a state that is kept, see ChannelOptions.State.
func (ch *Channel) ReadState(ctx context.Context, query *StateQuery) (StatePage, error) {
	if query == nil {
		query = &StateQuery{}
	}
	command := &wire.State{Channel: ch.name, Key: query.Key, After: query.After, Limit: limitOf(query.Limit)}
	return start(ch.client, command, true, func(s *wire.StatePage) StatePage { return StatePage(*s) }).Wait(ctx)
}

// PresenceQuery says which members to read. The zero value works, and so does nil.
type PresenceQuery struct {
	CountOnly bool
	After     string // users after this one
	Limit     int    // 1 to 1,000; 0: 1,000
}

// PresencePage is who is there (PRE-3), in the order of the users.
type PresencePage struct {
	Version uint64
	Count   int
	Members []realtime.Member
	More    bool
}

// ReadPresence asks the server who is there. For a presence that is kept, see ChannelOptions.Presence.
func (ch *Channel) ReadPresence(ctx context.Context, query *PresenceQuery) (PresencePage, error) {
	if query == nil {
		query = &PresenceQuery{}
	}
	command := &wire.Presence{Channel: ch.name, CountOnly: query.CountOnly, After: query.After, Limit: limitOf(query.Limit)}
	return start(ch.client, command, true, func(p *wire.PresencePage) PresencePage {
		return PresencePage{Version: p.Version, Count: int(p.Count), Members: p.Members, More: p.More}
	}).Wait(ctx)
}

// Enter makes the client a member of the channel's presence, or changes what it is there with; it stays one on later
// lines (SUB-12). The channel must be subscribed. data as Payload takes it; nil: nothing.
func (ch *Channel) Enter(ctx context.Context, data any) error {
	command := &wire.Enter{Channel: ch.name}
	if data != nil {
		payload, err := Payload(data)
		if err != nil {
			return err
		}
		command.Payload = payload
	}
	return ch.client.startEmpty(command).wait(ctx)
}

// Leave ends that (PRE-2).
func (ch *Channel) Leave(ctx context.Context) error {
	return ch.client.startEmpty(&wire.Leave{Channel: ch.name}).wait(ctx)
}

type pendingEmpty struct{ *Pending[struct{}] }

func (c *Client) startEmpty(command wire.Command) pendingEmpty {
	return pendingEmpty{start(c, command, true, func(*wire.Empty) struct{} { return struct{}{} })}
}

func (p pendingEmpty) wait(ctx context.Context) error {
	_, err := p.Wait(ctx)
	return err
}

// Call asks the application behind the server (CAL-1); data as Payload takes it, nil: nothing.
func (c *Client) Call(ctx context.Context, method string, data any) (realtime.Payload, error) {
	command := &wire.Call{Method: method}
	if data != nil {
		payload, err := Payload(data)
		if err != nil {
			return realtime.Payload{}, err
		}
		command.Payload = payload
	}
	return start(c, command, true, func(called *wire.Called) realtime.Payload { return called.Payload }).Wait(ctx)
}

// Ping asks the server for a sign of life and tells how long it took (PIN-1).
func (c *Client) Ping(ctx context.Context) (time.Duration, error) {
	begin := time.Now()
	_, err := start(c, &wire.Ping{}, true, func(*wire.Pong) struct{} { return struct{}{} }).Wait(ctx)
	return time.Since(begin), err
}
