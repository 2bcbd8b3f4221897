package realtime

import "time"

// Who says which connections may do something in a namespace without a grant of their token (AUT-2).
type Who uint8

const (
	Nobody Who = iota // only by a token's grant
	User              // any connection with a valid token
	Anyone            // anonymous connections too
)

// Action is something a connection asks to do in a channel; the words are those of tokens and configuration (AUT-1).
type Action string

const (
	ActionSubscribe Action = "subscribe"
	ActionPublish   Action = "publish"
	ActionHistory   Action = "history"
	ActionState     Action = "state"    // read the state, also as a snapshot
	ActionUpdate    Action = "update"   // change the state
	ActionPresence  Action = "presence" // read who is there
	ActionEnter     Action = "enter"    // be seen there
)

// Actions lists every Action once, in the order of the documentation.
var Actions = []Action{ActionSubscribe, ActionPublish, ActionHistory, ActionState, ActionUpdate, ActionPresence, ActionEnter}

// SlowPolicy is what happens to a connection that does not keep up with a channel (LIV-6).
type SlowPolicy uint8

const (
	SlowDisconnect SlowPolicy = iota // end the connection; it resumes
	SlowDrop                         // end the subscription; the client resumes it
	SlowNewest                       // keep only the newest queued publication; only without log
)

// Namespace carries the settings of its channels. Every limit is positive: 0 never means unlimited, and a facet that is
// off has its own switch.
type Namespace struct {
	Name string

	History             bool
	HistoryEntriesMax   int
	HistoryAgeMax       time.Duration
	HistoryBytesMax     int // payload bytes of one channel
	IdempotencyAgeMax   time.Duration
	IdempotencyCountMax int // ids of one channel

	State         bool
	StateKeysMax  int
	StateBytesMax int
	OwnKeys       bool // STA-7

	Presence           bool
	PresenceMembersMax int

	PayloadBytesMax int
	Slow            SlowPolicy

	Allow map[Action]Who // an absent action is Nobody
}

// HasLog reports whether channels of the namespace have positions (POS-1).
func (n *Namespace) HasLog() bool { return n.History || n.State }
