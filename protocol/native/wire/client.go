package wire

import "github.com/bellwire/bellwire/realtime"

// ClientMessage is what a client sends (CON-3).
type ClientMessage struct {
	ID      uint32  // MSG-2; 0: none
	Command Command // one of the pointers below
}

// Command is the closed set of what a client can ask: *Connect, *Subscribe, *Unsubscribe, *Publish, *History, *State,
// *Update, *Presence, *Enter, *Leave, *Call, *Refresh and *Ping.
type Command interface {
	// Name is the command's field in the schema.
	Name() string
	isCommand()
}

// Connect opens a session (CNT-1).
type Connect struct {
	Token     string
	Client    string
	Subscribe []SubscribeItem
}

// PresenceMode is what of a channel's presence a subscription is told (SUB-11).
type PresenceMode uint8

const (
	PresenceNone PresenceMode = iota
	PresenceCount
	PresenceMembers
)

// SubscribeItem is one wanted subscription (5.2).
type SubscribeItem struct {
	Channel  string // or a pattern
	Since    *realtime.Position
	Rewind   uint32
	State    bool
	Presence PresenceMode
	Enter    realtime.Payload // none: do not enter. JSON framing: only a payload of JSON can be sent
	Token    string
}

type Subscribe struct{ Channels []SubscribeItem }

type Unsubscribe struct{ Channels []string }

// Publish stores and delivers a payload (5.4).
type Publish struct {
	Channel string
	Payload realtime.Payload
	ID      string
	NoEcho  bool // the schema's echo, inverted so that absent and zero are the same
}

// History reads the log (5.5).
type History struct {
	Channel string
	Since   *realtime.Position
	Limit   uint32 // 0: the default
	Reverse bool
}

// State reads the state (STA-1).
type State struct {
	Channel string
	Key     string
	After   string
	Limit   uint32 // 0: the default
}

// UpdateOp is what an update does to its key (STA-2).
type UpdateOp uint8

const (
	OpSet UpdateOp = iota + 1
	OpRemove
	OpIncrement
	OpSetIf
	OpSetGreater
)

// Update changes one key (STA-2).
type Update struct {
	Channel string
	Op      UpdateOp
	Key     string
	Value   realtime.Payload // OpSet, OpSetIf and OpSetGreater; none with the others
	By      float64          // OpIncrement; on the line it is left out when it is 1
	Version uint64           // OpSetIf; always on the line then
	ID      string
}

// Presence asks who is there (PRE-3).
type Presence struct {
	Channel   string
	CountOnly bool
	After     string
	Limit     uint32 // 0: the default
}

// Enter makes the connection a member (PRE-1).
type Enter struct {
	Channel string
	Payload realtime.Payload // may be none
}

type Leave struct{ Channel string }

// Call asks the application behind the server (CAL-1).
type Call struct {
	Method  string
	Payload realtime.Payload // may be none
}

// Refresh replaces a token (REF-1).
type Refresh struct {
	Token   string
	Channel string // "": the connection's own
}

type Ping struct{}

func (*Connect) Name() string     { return "connect" }
func (*Subscribe) Name() string   { return "subscribe" }
func (*Unsubscribe) Name() string { return "unsubscribe" }
func (*Publish) Name() string     { return "publish" }
func (*History) Name() string     { return "history" }
func (*State) Name() string       { return "state" }
func (*Update) Name() string      { return "update" }
func (*Presence) Name() string    { return "presence" }
func (*Enter) Name() string       { return "enter" }
func (*Leave) Name() string       { return "leave" }
func (*Call) Name() string        { return "call" }
func (*Refresh) Name() string     { return "refresh" }
func (*Ping) Name() string        { return "ping" }

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
