package session

import (
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
	"github.com/bellwire/bellwire/realtime/hub"
)

// Command is the closed set of what a client can ask, in the words of the realtime packages: *Connect, *Subscribe,
// *Unsubscribe, *Publish, *History, *State, *Update, *Presence, *Enter, *Leave, *Call, *Refresh and *Ping.
type Command interface{ isCommand() }

// Connect opens the session (CNT-1).
type Connect struct {
	Token     string
	Client    string // names the library, for logs
	Subscribe []Wish
}

// Subscribe asks for subscriptions (SUB-1).
type Subscribe struct{ Wishes []Wish }

// Wish is one wanted subscription.
type Wish struct {
	Channel  string // or a pattern
	Since    *realtime.Position
	Rewind   int
	Snapshot bool // SUB-8
	Presence hub.PresenceMode
	Enter    realtime.Payload // none: do not enter
	Token    string           // AUT-4
}

type Unsubscribe struct{ Channels []string }

type Publish struct {
	Channel string
	Payload realtime.Payload
	ID      string
	NoEcho  bool // PUB-2
}

type History struct {
	Channel string
	Query   broker.HistoryQuery
}

type State struct {
	Channel string
	Query   broker.StateQuery
}

// Update has everything but who does it.
type Update struct{ Update broker.Update }

type Presence struct {
	Channel string
	Query   broker.PresenceQuery
}

type Enter struct {
	Channel string
	Payload realtime.Payload
}

type Leave struct{ Channel string }

type Call struct {
	Method  string
	Payload realtime.Payload
}

type Refresh struct {
	Token   string
	Channel string // "": the connection's own token
}

type Ping struct{}

func (*Connect) isCommand()     {}
func (*Subscribe) isCommand()   {}
func (*Unsubscribe) isCommand() {}
func (*Publish) isCommand()     {}
func (*History) isCommand()     {}
func (*State) isCommand()       {}
func (*Update) isCommand()      {}
func (*Presence) isCommand()    {}
func (*Enter) isCommand()       {}
func (*Leave) isCommand()       {}
func (*Call) isCommand()        {}
func (*Refresh) isCommand()     {}
func (*Ping) isCommand()        {}
