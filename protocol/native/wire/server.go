package wire

import "github.com/bellwire/bellwire/realtime"

// ServerMessage is what the server sends: a reply when ID is that of a command, otherwise a push (section 6).
type ServerMessage struct {
	ID   uint32
	Body Body // one of the pointers below; nil: a message this version does not know (MSG-6)
}

// Body is the closed set of what a server can say: *Error; the replies *Connected, *Empty, *Published, *HistoryPage,
// *StatePage, *Updated, *PresencePage, *Called, *Refreshed and *Pong; the pushes *Subscribed, *Publication,
// *PresenceChange, *Unsubscribed, *Notice and *Disconnect.
type Body interface {
	isBody()
}

// Error answers a command that was refused or failed (SRV-8).
type Error struct {
	Code    realtime.Code
	Name    string
	Message string
	Command string // only without an id (MSG-3)
}

// Connected answers connect (CNT-2).
type Connected struct {
	Connection   string
	User         string
	Server       string
	Node         string
	PingMS       uint64
	PongMS       uint64
	ExpiresMS    uint64 // 0: does not expire
	Reconnect    *Reconnect
	TimeMS       uint64
	MessageBytes uint64
}

// Reconnect is how long a client may spread its first retry (LIV-3).
type Reconnect struct{ WindowMS uint64 }

// EmptyCommand says which command an Empty answers.
type EmptyCommand uint8

const (
	EmptySubscribe EmptyCommand = iota + 1
	EmptyUnsubscribe
	EmptyEnter
	EmptyLeave
)

// Empty answers a command that has nothing to say but that it is done.
type Empty struct{ Command EmptyCommand }

// Published answers publish (PUB-1).
type Published struct {
	Position  realtime.Position // zero on a channel without log
	Duplicate bool
}

// HistoryPage answers history (HIS-1).
type HistoryPage struct {
	Epoch        string
	Top          uint64
	Publications []Publication
	More         bool
	Missed       *realtime.Missed
}

// StatePage answers state (STA-1), and is the snapshot of a subscribed (SUB-8).
type StatePage struct {
	Epoch   string
	AsOf    uint64
	Entries []realtime.Entry
	More    bool
}

// Updated answers update (STA-3).
type Updated struct {
	Applied   bool
	Value     realtime.Payload
	Version   uint64
	Epoch     string
	Offset    uint64
	Duplicate bool
}

// PresencePage answers presence (PRE-3), and is part of a subscribed (SRV-1).
type PresencePage struct {
	Version uint64
	Count   uint64
	Members []realtime.Member
	More    bool
}

// Called answers call (CAL-1).
type Called struct{ Payload realtime.Payload }

// Refreshed answers refresh (REF-1).
type Refreshed struct{ ExpiresMS uint64 }

// Pong answers ping (PIN-1).
type Pong struct{ TimeMS uint64 }

// Subscribed says where the stream of a subscription begins, or why there is none (SRV-1).
type Subscribed struct {
	Channel   string
	Epoch     string
	Offset    uint64
	Top       uint64
	Recovered *bool // nil: no since was given
	Missed    *realtime.Missed
	State     *StatePage
	Presence  *PresencePage
	ExpiresMS uint64
	Error     *Error
}

// Publication is one thing that happened in a channel (SRV-2): Payload, or State, or Skipped.
type Publication struct {
	Channel string
	Offset  uint64 // 0: no position
	Prev    uint64 // left out on the line when it is Offset-1 (POS-2)
	Payload realtime.Payload
	ID      string
	TimeMS  uint64
	From    realtime.Publisher // zero: the application's backend (POS-8)
	State   *realtime.StateChange
	Skipped bool
	Pattern bool // it comes by a pattern of the connection (SUB-10)
}

// PresenceChange is what changed in the presence of a channel (SRV-4).
type PresenceChange struct {
	Channel string
	Version uint64
	Count   uint64
	Set     []realtime.Member
	Left    []string
}

// Unsubscribed says that a subscription is over (SRV-5).
type Unsubscribed struct {
	Channel string
	Code    realtime.Code
	Reason  string
}

// Notice tells a new reconnect window (SRV-6).
type Notice struct{ Reconnect *Reconnect }

// Disconnect is the last message of a connection (SRV-7).
type Disconnect struct {
	Code      realtime.Code
	Reason    string
	Reconnect *Reconnect
}

func (*Error) isBody()          {}
func (*Connected) isBody()      {}
func (*Empty) isBody()          {}
func (*Published) isBody()      {}
func (*HistoryPage) isBody()    {}
func (*StatePage) isBody()      {}
func (*Updated) isBody()        {}
func (*PresencePage) isBody()   {}
func (*Called) isBody()         {}
func (*Refreshed) isBody()      {}
func (*Pong) isBody()           {}
func (*Subscribed) isBody()     {}
func (*Publication) isBody()    {}
func (*PresenceChange) isBody() {}
func (*Unsubscribed) isBody()   {}
func (*Notice) isBody()         {}
func (*Disconnect) isBody()     {}
