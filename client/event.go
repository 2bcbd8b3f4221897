package client

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/bellwire/bellwire/client/core"
	"github.com/bellwire/bellwire/protocol/native/wire"
	"github.com/bellwire/bellwire/realtime"
)

// State is where the connection stands (PROTOCOL.md section 11).
type State = core.State

// The states of a connection.
const (
	Idle       = core.Idle
	Connecting = core.Connecting
	Connected  = core.Connected
	Waiting    = core.Waiting
	Closed     = core.Closed
)

// SubscriptionState is where one subscription stands.
type SubscriptionState = core.SubscriptionState

// The states of a subscription.
const (
	Unsubscribed = core.Unsubscribed
	Subscribing  = core.Subscribing
	Subscribed   = core.Subscribed
	Ended        = core.Ended
)

// ConnectionState tells one change of the connection.
type ConnectionState struct {
	State   State
	Session Session       // with Connected
	RetryIn time.Duration // with Waiting
	Code    realtime.Code // from the server or the socket, else 0
	Reason  string        // theirs with a Code, else the client's own: "timeout", "no_pong", "offline", "asleep", "token" or ""
}

// Session is what the server said of the connection (CNT-2).
type Session struct {
	Connection string // its id
	User       string
	Server     string // name and version
	Node       string
	Time       time.Time // the server's clock
}

// Event is the closed set of what a stream tells of a channel: *Publication, *Started, *Missed, *Stopped, *StateChanged
// and *PresenceChanged. Events are shared by all streams and must not be changed.
type Event interface{ isEvent() }

// Publication is one thing that was published. Channel differs from the stream's where that is a pattern.
type Publication struct {
	Channel  string
	Position realtime.Position // zero on a channel without log and by a pattern
	Payload  realtime.Payload
	ID       string
	Time     time.Time          // zero when the server does not say
	From     realtime.Publisher // zero: the application's backend
	Replayed bool               // it was there before the subscription was answered (SUB-7)

	// State is set, and Payload none, where a change of a channel's state came by a pattern. A channel's own are StateChanged.
	State *realtime.StateChange
}

// Decode reads the payload into v as encoding/json does. A payload of bytes is an error.
func (p *Publication) Decode(v any) error {
	if p.Payload.Encoding != realtime.EncodingJSON {
		return fmt.Errorf("client: the publication of %s is not JSON", p.Channel)
	}
	return json.Unmarshal(p.Payload.Bytes, v)
}

// Started tells that the server has answered the subscription: nothing after Position will be missed (SUB-2). It comes
// again after every time the line was lost.
type Started struct {
	Position  realtime.Position
	Top       uint64 // the newest offset then
	Resumed   bool   // a position was held
	Recovered bool   // and everything after it comes (SUB-4)
}

// Missed tells that publications are gone for good: From to To, or everything from From on as far as known when To is 0
// (SUB-5, SUB-6). The stream goes on.
type Missed struct{ From, To uint64 }

// Stopped tells that the server ended the subscription for now; the client subscribes again by itself. (An end for good is the
// stream's error.)
type Stopped struct {
	Code    realtime.Code
	Reason  string
	RetryIn time.Duration
}

// StateChanged tells a change of the channel's state (POS-7).
type StateChanged struct {
	Set      []realtime.Entry
	Removed  []string
	Reset    bool               // Set is all there is; with an empty Set the entries follow
	Position realtime.Position  // of a single change
	From     realtime.Publisher // of a single change
	Time     time.Time          // of a single change
	Replayed bool
}

// PresenceChanged tells a change of the channel's presence (SRV-4).
type PresenceChanged struct {
	Version uint64
	Count   int // users
	Set     []realtime.Member
	Left    []string
	Reset   bool // Set is all there is; where Count is more, the others follow
}

func (*Publication) isEvent()     {}
func (*Started) isEvent()         {}
func (*Missed) isEvent()          {}
func (*Stopped) isEvent()         {}
func (*StateChanged) isEvent()    {}
func (*PresenceChanged) isEvent() {}

// SlowReaderError is the end of a stream whose reader let too many events wait. It is a *realtime.Error of code
// limit_exceeded as well.
type SlowReaderError struct{ BufferMax int }

func (e *SlowReaderError) Error() string {
	return fmt.Sprintf("client: the reader is too slow: %d events wait to be taken", e.BufferMax)
}

// Unwrap returns the error's code.
func (e *SlowReaderError) Unwrap() error {
	return realtime.NewError(realtime.CodeLimitExceeded, e.Error())
}

// MissedError is how Publications tells a Missed. It does not end the stream.
type MissedError struct {
	Channel string
	Missed
}

func (e *MissedError) Error() string {
	if e.To == 0 {
		return fmt.Sprintf("client: publications of %s from offset %d on are gone", e.Channel, e.From)
	}
	return fmt.Sprintf("client: publications of %s from offset %d to %d are gone", e.Channel, e.From, e.To)
}

func publicationOf(p *wire.Publication, epoch string, replayed bool) *Publication {
	publication := &Publication{
		Channel: p.Channel, Payload: p.Payload, ID: p.ID, Time: timeOf(p.TimeMS), From: p.From, Replayed: replayed,
		State: p.State,
	}
	if epoch != "" {
		publication.Position = realtime.Position{Epoch: epoch, Offset: p.Offset}
	}
	return publication
}

func timeOf(ms uint64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(min(ms, realtime.OffsetMax)))
}

func sessionOf(c *wire.Connected) Session {
	if c == nil {
		return Session{}
	}
	return Session{Connection: c.Connection, User: c.User, Server: c.Server, Node: c.Node, Time: timeOf(c.TimeMS)}
}

// errorOf is a code as an error; reasons come from the server or are the code's own meaning.
func errorOf(code realtime.Code, reason string) error { return realtime.NewError(code, reason) }
