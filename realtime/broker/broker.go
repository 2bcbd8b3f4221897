package broker

import (
	"context"

	"github.com/bellwire/bellwire/realtime"
)

// Backend keeps the data of channels and carries publications and presence to every node.
//
// All methods may be called concurrently. The namespace that comes with a call holds the settings of the channel; a
// backend keeps no configuration of its own. Names have been checked by the caller, authority decided.
// Errors are *realtime.Error where the caller is to be told, anything else is a failure of the backend.
type Backend interface {
	// Publish appends one publication and delivers it to the Sink in one step (POS-5). It returns when both are done.
	Publish(ctx context.Context, ns *realtime.Namespace, draft Draft) (Published, error)

	// Update changes one key and appends the change (STA-2) under the same promise as Publish.
	Update(ctx context.Context, ns *realtime.Namespace, update Update) (Updated, error)

	// History reads the log of a channel (HIS-1 to HIS-3). It never creates a channel.
	History(ctx context.Context, ns *realtime.Namespace, channel string, query HistoryQuery) (HistoryPage, error)

	// State reads the state of a channel at one moment (STA-1). It never creates a channel.
	State(ctx context.Context, ns *realtime.Namespace, channel string, query StateQuery) (StatePage, error)

	// Resume answers a subscribe (SUB-2 to SUB-8): where the stream begins for this subscriber, what it missed, the held
	// entries after the position, and the snapshot where asked for, all at one moment.
	Resume(ctx context.Context, ns *realtime.Namespace, channel string, query ResumeQuery) (Resumption, error)

	// Enter makes or keeps a connection a member; Leave ends that. Both deliver the change to the Sink.
	Enter(ctx context.Context, ns *realtime.Namespace, channel string, entrant Entrant) error
	Leave(ctx context.Context, ns *realtime.Namespace, channel, user, connection string) error

	// Presence reads who is there (PRE-3).
	Presence(ctx context.Context, ns *realtime.Namespace, channel string, query PresenceQuery) (PresencePage, error)

	// Channels lists channels that hold data or members, by name, for the API. Patterns as NAM-4; "*" means all.
	Channels(ctx context.Context, query ChannelsQuery) (ChannelsPage, error)

	// Ready returns nil when the backend can publish and read now. It really asks.
	Ready(ctx context.Context) error

	// Close releases everything. No method is called after it.
	Close() error
}

// Immediate is what a Backend may also be, when its methods wait for nothing but locks of its own: they may then be called
// where nothing must wait, on a loop that serves many connections.
type Immediate interface{ Immediate() bool }

// Sink is where a backend delivers what happened, on this node. The hub is one.
//
// For one channel, calls come one after another in the order of the offsets (presence: of the versions). They never
// block and never call back into the backend.
type Sink interface {
	DeliverPublication(ns *realtime.Namespace, publication *realtime.Publication)
	DeliverPresence(ns *realtime.Namespace, change *realtime.PresenceChange)
}

// Counter is what a Sink may also be, so that a backend knows which channels it must not forget. The hub is one.
type Counter interface {
	// Subscribers is how many subscriptions to a channel deliver to this Sink now. It obeys the rules of the Sink.
	Subscribers(channel string) int
}

// Draft is a publication that has no position yet.
type Draft struct {
	Channel string
	ID      string
	From    realtime.Publisher
	Payload realtime.Payload

	// SkipConnection is the connection that gets only a mark in place of the publication (PUB-2), or "".
	SkipConnection string
}

// Published says where a publication stands (PUB-1).
type Published struct {
	Position  realtime.Position // zero on a channel without log
	Duplicate bool
}

// Op is what an Update does to its key (STA-2).
type Op uint8

const (
	OpSet Op = iota + 1
	OpRemove
	OpIncrement
	OpSetIf
	OpSetGreater
)

// Update is one change of one key.
type Update struct {
	Channel string
	ID      string
	From    realtime.Publisher
	Op      Op
	Key     string
	Value   realtime.Payload // OpSet, OpSetIf, OpSetGreater
	By      float64          // OpIncrement
	Version uint64           // OpSetIf
}

// Updated says what became of an Update (STA-3). Value and Version are the key's after it.
type Updated struct {
	Applied   bool
	Value     realtime.Payload
	Version   uint64
	Position  realtime.Position // of the change; when not Applied, of the newest entry there is
	Duplicate bool
}

// LimitMax is the largest Limit of a query; the smallest is 1.
const LimitMax = 1000

// CheckLimit returns nil when limit may be the Limit of a query, and otherwise an *realtime.Error with CodeBadRequest.
func CheckLimit(limit int) error {
	if limit < 1 || limit > LimitMax {
		return realtime.Errorf(realtime.CodeBadRequest, "limit is not from 1 to %d", LimitMax)
	}
	return nil
}

// HistoryQuery says which entries to read. Limit is 1 to 1,000.
type HistoryQuery struct {
	Since   realtime.Position // zero: from the oldest, or from the newest when Reverse
	Limit   int
	Reverse bool
}

// HistoryPage is a stretch of the log.
type HistoryPage struct {
	Epoch        string
	Top          uint64
	Publications []*realtime.Publication
	More         bool
	Missed       *realtime.Missed
}

// StateQuery says which keys to read. Limit is 1 to 1,000.
type StateQuery struct {
	Key   string // one key only, or ""
	After string
	Limit int
}

// StatePage is the state, or a part of it, as it was at AsOf. Entries are in the order of their keys.
type StatePage struct {
	Epoch   string
	AsOf    uint64
	Entries []realtime.Entry
	More    bool
}

// ResumeQuery is what a subscriber asks for.
type ResumeQuery struct {
	Since    *realtime.Position // nil: a fresh subscription
	Rewind   int
	Snapshot bool // the whole state, except when recovered (SUB-8)
}

// Resumption is where the stream of a subscriber begins.
type Resumption struct {
	Position     realtime.Position // all entries after it are the subscriber's
	Top          uint64            // newest offset at this moment
	Recovered    bool              // meaningful when Since was given
	Missed       *realtime.Missed
	Publications []*realtime.Publication // the held entries after Position, up to Top
	Snapshot     *StatePage
}

// Entrant is a connection that enters a channel (PRE-1).
type Entrant struct {
	User       string
	Connection string
	Info       []byte
	Payload    realtime.Payload
}

// PresenceQuery says which members to read. Limit is 1 to 1,000.
type PresenceQuery struct {
	CountOnly bool
	After     string
	Limit     int
}

// PresencePage is who is there, in the order of the users' names.
type PresencePage struct {
	Version uint64
	Count   int
	Members []realtime.Member
	More    bool
}

// ChannelsQuery pages through channel names in byte order. Limit is 1 to 1,000.
type ChannelsQuery struct {
	Pattern string
	After   string
	Limit   int
}

// ChannelsPage is a part of the list of channels.
type ChannelsPage struct {
	Channels []ChannelInfo
	More     bool
}

// ChannelInfo sums up one channel.
type ChannelInfo struct {
	Channel string
	Epoch   string
	Top     uint64
	Entries int // held in the log
	Keys    int // of the state
	Members int // users present
}
