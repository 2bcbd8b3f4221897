package hub

import (
	"hash/maphash"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire/internal/safego"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
)

// Limits of a hub.
const (
	// PresenceWindow is the least time between two presence changes told of one channel: 10 a second (SRV-4).
	PresenceWindow = 100 * time.Millisecond

	// PatternsMaxDefault is how many different patterns all subscribers of a hub may have together.
	PatternsMaxDefault = 1000

	// ProtocolsMax is how many different protocols a hub can encode for.
	ProtocolsMax = 8

	lanesDefault = 64
)

// Subscriber receives what happens in a channel. One value per subscription saves its owner a lookup.
//
// Its methods are called by many goroutines, for one channel one after another, with a lock of the hub held: they must
// neither block nor call the hub. They may keep everything they are given and change nothing.
type Subscriber interface {
	// DeliverPublication reports whether the frame of the delivery has gone to the subscriber's line.
	DeliverPublication(Delivery) (passed bool)
	DeliverPresence(PresenceDelivery)
}

// Delivery is one publication for one subscriber.
type Delivery struct {
	Namespace *realtime.Namespace

	// Publication is what Encoded says. To a pattern it has no position (SUB-10). To the connection it skips it is only
	// the mark: neither payload nor state (PUB-2).
	Publication *realtime.Publication

	// Encoded is one message of the subscriber's protocol, shared by everybody of that protocol.
	Encoded []byte

	// Frame is Encoded as the carrier that calls has written it, valid until DeliverPublication returns; none: it is not
	// called by a carrier.
	Frame Frame

	Pattern bool // it comes by a pattern
}

// PresenceDelivery is what changed in the presence of a channel, for one subscriber.
type PresenceDelivery struct {
	Namespace *realtime.Namespace
	Change    *realtime.PresenceChange // to a PresenceCount subscription without Set and Left
	Encoded   []byte
}

// Encoder is what the hub needs of a protocol. Both functions are pure, are called concurrently, and return bytes that
// nobody changes.
type Encoder interface {
	// Name is the protocol's own; encoders with the same name give the same bytes.
	Name() string

	// Framing is what its messages are on a line.
	Framing() Framing

	// EncodePublication returns the whole message. A publication with neither payload nor state is the mark `skipped`
	// (SRV-2); one whose Offset is 0 has no position.
	EncodePublication(*realtime.Publication) []byte

	// EncodePresence returns the whole message (SRV-4).
	EncodePresence(*realtime.PresenceChange) []byte
}

// Clock tells the time; only presence needs it.
type Clock interface{ Now() time.Time }

// Config is what a hub needs. Only Clock has no default.
type Config struct {
	Clock       Clock
	PatternsMax int          // different patterns together; 0 is PatternsMaxDefault
	Logger      *slog.Logger // nil: slog.Default

	// Passed is told how many publications a carrier has passed to lines at once, and their bytes. It is called
	// concurrently and must be quick; nil is allowed.
	Passed func(messages, bytes int)
	// Overrun is told how many carriers were too far behind to take a publication. Nil is allowed.
	Overrun func(carriers int)
}

// Hub is safe for concurrent use.
type Hub struct {
	// Immutable after New.
	clock Clock
	seed  maphash.Seed
	lanes []lane // a power of two

	passed  func(messages, bytes int) // nil: nobody asks
	overrun func(carriers int)        // nil: nobody asks

	patterns patterns

	growMu    sync.Mutex                // serialises additions
	protocols atomic.Pointer[[]Encoder] // only grows; an index stays valid
	carriers  atomic.Pointer[[]Carrier] // only grows

	counters counters
	driver   driver
	group    safego.Group
}

var (
	_ broker.Sink    = (*Hub)(nil)
	_ broker.Counter = (*Hub)(nil)
)

// New returns a hub without subscriptions. Nothing runs until Start.
func New(config Config) *Hub {
	h := &Hub{clock: config.Clock, seed: maphash.MakeSeed(), lanes: make([]lane, lanesDefault), passed: config.Passed, overrun: config.Overrun}
	for i := range h.lanes {
		h.lanes[i].channels = make(map[string]*members)
		h.lanes[i].merger = newMerger(PresenceWindow)
	}
	h.patterns.max = config.PatternsMax
	if h.patterns.max <= 0 {
		h.patterns.max = PatternsMaxDefault
	}
	h.patterns.joined = make(map[string]int)
	h.patterns.byPrefix = make(map[string]*members)
	h.patterns.byConnection = make(map[string][]*Subscription)
	h.protocols.Store(new([]Encoder))
	h.carriers.Store(new([]Carrier))
	h.driver.init()
	h.group.Logger = config.Logger
	return h
}

// lane holds the channels whose names hash to it.
type lane struct {
	mu sync.RWMutex
	// Guarded by mu.
	channels map[string]*members // none is empty

	presenceMu sync.Mutex // taken before mu, and held while presence is delivered
	// Guarded by presenceMu.
	merger *merger
}

func (h *Hub) lane(channel string) *lane {
	return &h.lanes[maphash.String(h.seed, channel)&uint64(len(h.lanes)-1)]
}

// protocolIndex finds or adds an encoder.
func (h *Hub) protocolIndex(encoder Encoder) (uint8, error) {
	name := encoder.Name()
	if i, ok := findProtocol(*h.protocols.Load(), name); ok {
		return i, nil
	}
	h.growMu.Lock()
	defer h.growMu.Unlock()
	present := *h.protocols.Load()
	if i, ok := findProtocol(present, name); ok {
		return i, nil
	}
	if len(present) == ProtocolsMax {
		return 0, realtime.NewError(realtime.CodeLimitExceeded, "the hub has no room for another protocol")
	}
	more := append(present[:len(present):len(present)], encoder)
	h.protocols.Store(&more)
	return uint8(len(present)), nil
}

func findProtocol(protocols []Encoder, name string) (uint8, bool) {
	for i, p := range protocols {
		if p.Name() == name {
			return uint8(i), true
		}
	}
	return 0, false
}
