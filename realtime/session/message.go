package session

import (
	"time"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
)

// Message is the closed set of what a session says to its client, apart from publications and presence changes, which
// the hub encodes: *Connected, *Done, *Published, *HistoryPage, *StatePage, *Updated, *PresencePage, *Called,
// *Refreshed, *Pong, *Failed, *Subscribed, *Unsubscribed, *Notice and *Disconnect.
type Message interface{ isMessage() }

// Connected answers connect (CNT-2).
type Connected struct {
	Connection   string
	User         string
	Server       string // name and version
	Node         string
	Ping, Pong   time.Duration
	Expires      time.Duration // until the token does; 0: never
	Window       time.Duration // LIV-3
	Time         time.Time
	MessageBytes int // the largest message the server takes
}

// DoneCommand is a command whose reply says nothing but that it is done.
type DoneCommand uint8

const (
	DoneSubscribe DoneCommand = iota + 1
	DoneUnsubscribe
	DoneEnter
	DoneLeave
)

type Done struct{ Command DoneCommand }

type Published struct{ broker.Published }

type HistoryPage struct{ broker.HistoryPage }

type StatePage struct{ broker.StatePage }

type Updated struct{ broker.Updated }

type PresencePage struct{ broker.PresencePage }

type Called struct{ Payload realtime.Payload }

type Refreshed struct{ Expires time.Duration }

type Pong struct{ Time time.Time }

// Failed refuses a command (SRV-8).
type Failed struct {
	Command string // told when there is no id (MSG-3)
	Err     *realtime.Error
}

// Subscribed says where the stream of a subscription begins, or with Err why there is none (SRV-1).
type Subscribed struct {
	Channel   string
	Position  realtime.Position // zero: no log
	Top       uint64
	Resumed   bool // since was given: Recovered is told
	Recovered bool
	Missed    *realtime.Missed
	Snapshot  *broker.StatePage
	Presence  *broker.PresencePage
	CountOnly bool          // of Presence
	Expires   time.Duration // of the subscription's token; 0: never
	Err       *realtime.Error
}

// Unsubscribed says that the server ended a subscription (SRV-5).
type Unsubscribed struct {
	Channel string
	Code    realtime.Code
	Reason  string
}

// Notice tells a new reconnect window (SRV-6).
type Notice struct{ Window time.Duration }

// Disconnect is the last message of a session (SRV-7).
type Disconnect struct {
	Code   realtime.Code
	Reason string
	Window time.Duration // 0: not told
}

func (*Connected) isMessage()    {}
func (*Done) isMessage()         {}
func (*Published) isMessage()    {}
func (*HistoryPage) isMessage()  {}
func (*StatePage) isMessage()    {}
func (*Updated) isMessage()      {}
func (*PresencePage) isMessage() {}
func (*Called) isMessage()       {}
func (*Refreshed) isMessage()    {}
func (*Pong) isMessage()         {}
func (*Failed) isMessage()       {}
func (*Subscribed) isMessage()   {}
func (*Unsubscribed) isMessage() {}
func (*Notice) isMessage()       {}
func (*Disconnect) isMessage()   {}
