package memory

import (
	"context"
	"encoding/base32"
	"fmt"
	"hash/maphash"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire/internal/safego"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
)

// Defaults of Config.
const (
	BytesMaxDefault    = 256 << 20
	ChannelsMaxDefault = 1_000_000
)

const shardCount = 64 // a power of two

// Clock tells the time.
type Clock interface{ Now() time.Time }

// Config is what a backend needs. Sink, Clock and Rand have no default.
type Config struct {
	Sink        broker.Sink
	Clock       Clock
	Rand        io.Reader    // read once, for the epoch
	BytesMax    int          // about what all channels may take together; 0 is BytesMaxDefault
	ChannelsMax int          // 0 is ChannelsMaxDefault
	Logger      *slog.Logger // nil: slog.Default
}

// Backend is safe for concurrent use.
type Backend struct {
	// Immutable after New.
	sink        broker.Sink
	subscribers func(channel string) int // how many the Sink has
	clock       Clock
	epoch       string // begins every channel's epoch
	bytesMax    int64
	channelsMax int64
	seed        maphash.Seed
	shards      [shardCount]shard

	bytes    atomic.Int64  // sum of held.bytes
	channels atomic.Int64  // sum of len(shard.channels)
	lives    atomic.Uint64 // channels ever made

	pressure pressure
	janitor  janitor
	group    safego.Group
}

var (
	_ broker.Backend   = (*Backend)(nil)
	_ broker.Immediate = (*Backend)(nil)
)

// New returns an empty backend. Start lets it drop what has expired by itself.
func New(config Config) (*Backend, error) {
	var random [8]byte
	if _, err := io.ReadFull(config.Rand, random[:]); err != nil {
		return nil, fmt.Errorf("drawing the epoch: %w", err)
	}
	b := &Backend{
		sink:        config.Sink,
		subscribers: subscribersOf(config.Sink),
		clock:       config.Clock,
		epoch:       strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(random[:])),
		bytesMax:    int64(orDefault(config.BytesMax, BytesMaxDefault)),
		channelsMax: int64(orDefault(config.ChannelsMax, ChannelsMaxDefault)),
		seed:        maphash.MakeSeed(),
	}
	for i := range b.shards {
		b.shards[i].init()
	}
	b.janitor.init()
	b.group.Logger = config.Logger
	return b, nil
}

func orDefault(limit, otherwise int) int {
	if limit <= 0 {
		return otherwise
	}
	return limit
}

// subscribersOf asks a Sink that can tell. Of one that cannot, every channel may have subscribers.
func subscribersOf(sink broker.Sink) func(string) int {
	if counter, ok := sink.(broker.Counter); ok {
		return counter.Subscribers
	}
	return func(string) int { return 1 }
}

// Immediate implements [broker.Immediate]: everything is in this process.
func (b *Backend) Immediate() bool { return true }

// Ready takes the lock of every shard, so that one that is stuck is seen.
func (b *Backend) Ready(ctx context.Context) error {
	for i := range b.shards {
		if err := ctx.Err(); err != nil {
			return err
		}
		b.shards[i].answer()
	}
	return nil
}

// Close ends what Start began and waits for it.
func (b *Backend) Close() error {
	b.janitor.end()
	return b.group.Wait(context.Background())
}

// Stats are counts of the whole backend, each of its own moment.
type Stats struct {
	Channels int   // also those that hold nothing any more
	Bytes    int64 // about what they take
	Evicted  int64 // entries dropped since New because memory was short
}

// Stats reads the counts.
func (b *Backend) Stats() Stats {
	return Stats{Channels: int(b.channels.Load()), Bytes: b.bytes.Load(), Evicted: b.pressure.evicted.Load()}
}

func (b *Backend) shard(channel string) *shard {
	return &b.shards[maphash.String(b.seed, channel)&(shardCount-1)]
}

// nextEpoch names a life that no other channel or life has.
func (b *Backend) nextEpoch() string {
	return b.epoch + "-" + strconv.FormatUint(b.lives.Add(1), 36)
}

// shard holds the channels whose names hash to it.
type shard struct {
	// mu is held while a publication is stored and delivered, and while presence is changed and delivered. Taken under
	// it: the locks of the Sink.
	mu sync.Mutex
	// Guarded by mu.
	channels map[string]*held
	expiry   schedule // the channels with entries, by the end of life of the oldest one
	upkeep   schedule // all channels, by the next time to look at them

	// presenceVersion counts the changes of all channels of the shard, so that a channel's version goes on growing
	// also when it has been forgotten meanwhile (PRE-4).
	presenceVersion uint64
}

func (s *shard) init() {
	s.channels = make(map[string]*held)
	s.expiry.slot, s.upkeep.slot = slotExpiry, slotUpkeep
}

// answer returns when it has had the lock.
func (s *shard) answer() {
	s.mu.Lock()
	defer s.mu.Unlock()
}

func notAvailable(facet string) error {
	return realtime.NewError(realtime.CodeNotAvailable, "channels of this namespace have no "+facet)
}
