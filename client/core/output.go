package core

import (
	"github.com/bellwire/bellwire/protocol/native/wire"
	"github.com/bellwire/bellwire/realtime"
)

// State is where the connection stands (PROTOCOL.md section 11).
type State string

const (
	Idle       State = "idle"       // not asked to connect
	Connecting State = "connecting" // a line is being opened, or the connect reply awaited
	Connected  State = "connected"
	Waiting    State = "waiting" // the line is lost; the next attempt has a time
	Closed     State = "closed"  // by the application, or by a code that says never
)

// SubscriptionState is where one subscription stands.
type SubscriptionState string

const (
	Unsubscribed SubscriptionState = "unsubscribed"
	Subscribing  SubscriptionState = "subscribing" // wanted, not yet answered on the present line
	Subscribed   SubscriptionState = "subscribed"
	Ended        SubscriptionState = "ended" // by the server
)

// Reasons of the client's own for the end of a line.
const (
	ReasonTimeout = "timeout" // CLI-2
	ReasonNoPong  = "no_pong" // LIV-2
	ReasonOffline = "offline" // CLI-8
	ReasonAsleep  = "asleep"  // CLI-9
	ReasonToken   = "token"   // CLI-3
)

// Output is the closed set of what a core asks of its owner (Open, Send, Close, FetchToken, FetchSubscriptionToken) and
// tells the application (all others). Outputs are carried out in their order.
type Output interface{ isOutput() }

// Open asks for a line. The owner answers with LineOpened or LineClosed.
type Open struct {
	Line int
	URL  string
}

// Send asks for a message to be sent on the line.
type Send struct {
	Line    int
	Message wire.ClientMessage
}

// Close asks for a line, opened or still being opened, to be closed.
type Close struct {
	Line int
	Code realtime.Code
}

// FetchToken asks the token source. The owner answers with TokenReady or TokenFailed.
type FetchToken struct{}

// FetchSubscriptionToken asks a subscription's token source.
type FetchSubscriptionToken struct{ Channel string }

// StateChange tells the connection's state.
type StateChange struct {
	State     State
	Session   *wire.Connected // with Connected
	RetryAtMS int64           // with Waiting
	Code      realtime.Code   // when the server or the socket gave one, else 0
	Reason    string          // theirs with a Code, otherwise one of the Reason constants or ""
}

// SubscriptionStarted tells that a subscription was answered: nothing after the position will be missed (SUB-2).
type SubscriptionStarted struct {
	Channel   string
	Epoch     string
	Offset    uint64
	Top       uint64
	Recovered *bool // nil: no position was held
}

// Missed tells the range of offsets that are gone (SUB-5, SUB-6).
type Missed struct {
	Channel string
	From    uint64
	To      uint64 // 0: unknown
}

// SubscriptionStopped tells that a subscription ended, for good or until RetryAtMS.
type SubscriptionStopped struct {
	Channel   string
	Code      realtime.Code
	Reason    string
	Again     bool // the client subscribes again by itself
	RetryAtMS int64
}

// Publication hands one over.
type Publication struct {
	Subscription string // the channel or pattern it is handed to
	Publication  *wire.Publication
	Epoch        string // of the log; "" without
	Replayed     bool   // SUB-7
}

// ChannelState tells that the held state of a channel changed.
type ChannelState struct {
	Channel string
	Set     []realtime.Entry
	Removed []string
	Reset   bool // all that was held is replaced by Set

	// Of a single change:
	Position realtime.Position
	From     realtime.Publisher
	TimeMS   uint64
	Replayed bool
}

// PresenceChange tells that the held presence of a channel changed.
type PresenceChange struct {
	Channel string
	Version uint64
	Count   uint64
	Set     []realtime.Member
	Left    []string
	Reset   bool // all that was held is replaced by Set
}

// Reply answers a request of the application.
type Reply struct {
	Request int64
	Result  wire.Body
}

// Failed tells that a request failed.
type Failed struct {
	Request int64
	Error   wire.Error // Message is empty when the client made it
}

// ServerError is an error that belongs to no request.
type ServerError struct{ Error wire.Error }

// Notice tells a new reconnect window (LIV-4).
type Notice struct{ WindowMS int64 }

// RoundTrip tells how long a ping took.
type RoundTrip struct{ MS int64 }

func (*Open) isOutput()                   {}
func (*Send) isOutput()                   {}
func (*Close) isOutput()                  {}
func (*FetchToken) isOutput()             {}
func (*FetchSubscriptionToken) isOutput() {}
func (*StateChange) isOutput()            {}
func (*SubscriptionStarted) isOutput()    {}
func (*Missed) isOutput()                 {}
func (*SubscriptionStopped) isOutput()    {}
func (*Publication) isOutput()            {}
func (*ChannelState) isOutput()           {}
func (*PresenceChange) isOutput()         {}
func (*Reply) isOutput()                  {}
func (*Failed) isOutput()                 {}
func (*ServerError) isOutput()            {}
func (*Notice) isOutput()                 {}
func (*RoundTrip) isOutput()              {}
