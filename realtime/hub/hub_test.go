package hub_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/leak"
	"github.com/bellwire/bellwire/internal/seed"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/hub"
)

func TestMain(m *testing.M) { leak.Main(m) }

// encoder writes publications as "name channel/offset data" and counts what it is asked.
type encoder struct {
	name  string
	count *atomic.Int64
}

func newEncoder(name string) encoder { return encoder{name, new(atomic.Int64)} }

func (e encoder) Name() string { return e.name }

func (e encoder) Framing() hub.Framing {
	if e.name == "p" {
		return hub.FramingBinary
	}
	return hub.FramingText
}

func (e encoder) EncodePublication(p *realtime.Publication) []byte {
	e.count.Add(1)
	what := string(p.Payload.Bytes)
	if p.IsMark() {
		what = "skipped"
	}
	return fmt.Appendf(nil, "%s %s/%d %s", e.name, p.Channel, p.Offset, what)
}

func (e encoder) EncodePresence(c *realtime.PresenceChange) []byte {
	e.count.Add(1)
	return fmt.Appendf(nil, "%s %s v%d n%d %s", e.name, c.Channel, c.Version, c.Count, describe(c))
}

// describe names what a change tells: users set, then those that left with a minus.
func describe(c *realtime.PresenceChange) string {
	var users []string
	for _, m := range c.Set {
		users = append(users, m.User)
	}
	for _, user := range c.Left {
		users = append(users, "-"+user)
	}
	slices.Sort(users)
	return strings.Join(users, " ")
}

// inbox is a subscriber that keeps what it gets.
type inbox struct {
	mu       sync.Mutex
	got      []string
	offsets  []uint64
	patterns int
	arrived  chan struct{} // may be nil
}

func (i *inbox) DeliverPublication(d hub.Delivery) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.got = append(i.got, string(d.Encoded))
	i.offsets = append(i.offsets, d.Publication.Offset)
	if d.Pattern {
		i.patterns++
	}
	return d.Frame != 0
}

func (i *inbox) DeliverPresence(d hub.PresenceDelivery) {
	i.mu.Lock()
	i.got = append(i.got, string(d.Encoded))
	i.mu.Unlock()
	if i.arrived != nil {
		i.arrived <- struct{}{}
	}
}

// take returns what came since the last take.
func (i *inbox) take() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	got := strings.Join(i.got, "; ")
	i.got = nil
	return got
}

type manualClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *manualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *manualClock) advance(by time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(by)
	return c.now
}

// loop is a carrier that carries at once.
type loop struct {
	behind bool

	mu     sync.Mutex
	frames []string // each with whether it is binary
}

func (l *loop) Carry(task *hub.Cohort, with any, _ int) bool {
	if !l.behind {
		task.Run(with)
	}
	return !l.behind
}

func (l *loop) Behind() <-chan struct{} {
	if l.behind {
		return make(chan struct{})
	}
	return nil
}

func (l *loop) CarryUrgent(task *hub.Cohort, with any) { task.Run(with) }

func (l *loop) Frame(framing hub.Framing, message []byte) hub.Frame {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.frames = append(l.frames, fmt.Sprint(framing == hub.FramingBinary, " ", string(message)))
	return hub.Frame(len(l.frames))
}

// house is a hub with two protocols, whose subscribers are served by carriers and by whoever delivers in turn.
type house struct {
	*testing.T
	*hub.Hub
	json, proto encoder
	clock       *manualClock
	loops       [2]*loop
	joined      atomic.Int32
}

func newHouse(t *testing.T) *house {
	clock := &manualClock{now: time.UnixMilli(1_790_000_000_000)}
	return &house{T: t, Hub: hub.New(hub.Config{Clock: clock}), json: newEncoder("j"), proto: newEncoder("p"), clock: clock, loops: [2]*loop{{}, {}}}
}

func (h *house) join(name string, options hub.Options) (*inbox, *hub.Subscription) {
	h.Helper()
	if options.Encoder == nil {
		options.Encoder = h.json
	}
	if turn := int(h.joined.Add(1)) % 3; turn < len(h.loops) {
		options.Carrier = h.loops[turn]
	}
	in := &inbox{}
	s, err := h.Join(in, name, options)
	if err != nil {
		h.Fatal(err)
	}
	return in, s
}

var ns = &realtime.Namespace{Name: "n"}

func publication(channel string, offset uint64) *realtime.Publication {
	return &realtime.Publication{Channel: channel, Epoch: "e", Offset: offset, Prev: offset - 1, Payload: realtime.JSON([]byte("1"))}
}

func (h *house) publish(channel string, offset uint64) {
	h.DeliverPublication(ns, publication(channel, offset))
}

func (h *house) want(what string, in *inbox, want string) {
	h.Helper()
	if got := in.take(); got != want {
		h.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func TestEverySubscriberOfTheChannelGetsItOnceAndOthersDoNot(t *testing.T) {
	h := newHouse(t)
	a, _ := h.join("n:a", hub.Options{})
	b, _ := h.join("n:a", hub.Options{Encoder: h.proto})
	other, _ := h.join("n:b", hub.Options{})
	h.publish("n:a", 1)
	h.want("first", a, "j n:a/1 1")
	h.want("second", b, "p n:a/1 1")
	h.want("other channel", other, "")
}

func TestEachProtocolGetsItsOwnBytesOnEveryCarrier(t *testing.T) {
	h := newHouse(t)
	var all [2][3]*inbox // on each carrier, and on none
	for i, encoder := range []encoder{h.json, h.proto} {
		for turn := range all[i] {
			all[i][turn], _ = h.join("n:a", hub.Options{Encoder: encoder})
		}
	}
	h.publish("n:a", 1)
	for i, want := range []string{"j n:a/1 1", "p n:a/1 1"} {
		for _, in := range all[i] {
			h.want("subscriber", in, want)
		}
	}
}

func TestAPublicationIsEncodedOncePerProtocolAndOnlyWhenSomebodyIsThere(t *testing.T) {
	h := newHouse(t)
	for range 100 {
		h.join("n:a", hub.Options{})
		h.join("n:a", hub.Options{Encoder: encoder{"j", h.json.count}}) // the same protocol by another value
	}
	h.publish("n:nobody", 1)
	if got := h.json.count.Load(); got != 0 {
		t.Errorf("%d encodings for nobody", got)
	}
	h.publish("n:a", 1)
	if j, p := h.json.count.Load(), h.proto.count.Load(); j != 1 || p != 0 {
		t.Errorf("%d and %d encodings, want 1 and 0", j, p)
	}
}

func TestTooManyProtocolsAreRefused(t *testing.T) {
	h := newHouse(t)
	for i := range hub.ProtocolsMax {
		h.join("n:a", hub.Options{Encoder: newEncoder(fmt.Sprint(i))})
	}
	if _, err := h.Join(&inbox{}, "n:a", hub.Options{Encoder: newEncoder("one more")}); realtime.CodeOf(err) != realtime.CodeLimitExceeded {
		t.Errorf("error %v", err)
	}
	h.join("n:a", hub.Options{Encoder: newEncoder("0")})
}

func TestUNS1AfterLeaveNothingComes(t *testing.T) {
	h := newHouse(t)
	a, s := h.join("n:a", hub.Options{})
	b, _ := h.join("n:a", hub.Options{})
	h.publish("n:a", 1)
	h.Leave(s)
	h.Leave(s) // not an error
	h.publish("n:a", 2)
	h.want("who left", a, "j n:a/1 1")
	h.want("who stayed", b, "j n:a/1 1; j n:a/2 1")
	if got := h.Subscribers("n:a"); got != 1 {
		t.Errorf("%d subscribers, want 1", got)
	}
}

func TestJoinAndLeaveInAnyOrderKeepTheArrayExact(t *testing.T) {
	h, r := newHouse(t), seed.Rand(t)
	type subscriber struct {
		in *inbox
		s  *hub.Subscription
	}
	var present, gone []subscriber
	for offset := uint64(1); offset <= 2000; offset++ {
		if r.IntN(5) < 2 && len(present) > 0 || offset > 1900 && len(present) > 0 {
			i := r.IntN(len(present))
			h.Leave(present[i].s)
			gone = append(gone, present[i])
			present = slices.Delete(present, i, i+1)
		} else {
			in, s := h.join("n:a", hub.Options{})
			present = append(present, subscriber{in, s})
		}
		if offset%50 != 0 {
			continue
		}
		h.publish("n:a", offset)
		for _, p := range present {
			h.want("present", p.in, fmt.Sprintf("j n:a/%d 1", offset))
		}
		for _, g := range gone {
			g.in.take()
		}
		gone = nil
		if got := h.Subscribers("n:a"); got != len(present) {
			t.Fatalf("%d subscribers, want %d", got, len(present))
		}
	}
}

// I14: when everybody has left, nothing is left.
func TestNothingIsLeftWhenEverybodyHasLeft(t *testing.T) {
	h := newHouse(t)
	var all []*hub.Subscription
	for i := range 500 {
		_, s := h.join(fmt.Sprint("n:", i%50), hub.Options{Connection: fmt.Sprint("c", i), Presence: hub.PresenceCount})
		_, p := h.join(fmt.Sprint("n:", i%7, "*"), hub.Options{Connection: fmt.Sprint("c", i)})
		all = append(all, s, p)
	}
	if s := h.Stats(); s.Channels != 50 || s.Subscriptions != 1000 || s.Patterns != 7 {
		t.Errorf("stats %+v", s)
	}
	for _, s := range all {
		h.Leave(s)
	}
	if s := h.Stats(); s.Channels != 0 || s.Subscriptions != 0 || s.Patterns != 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestPUB2TheSkippedConnectionGetsOnlyTheMark(t *testing.T) {
	h := newHouse(t)
	own, _ := h.join("n:a", hub.Options{Connection: "c1"})
	other, _ := h.join("n:a", hub.Options{Connection: "c2"})
	ownPattern, _ := h.join("n:*", hub.Options{Connection: "c1"})
	otherPattern, _ := h.join("n:*", hub.Options{Connection: "c2"})
	p := publication("n:a", 7)
	p.SkipConnection = "c1"
	h.DeliverPublication(ns, p)
	h.want("own", own, "j n:a/7 skipped")
	h.want("other", other, "j n:a/7 1")
	h.want("own pattern", ownPattern, "")
	h.want("other pattern", otherPattern, "j n:a/0 1")

	withoutLog := publication("n:a", 0)
	withoutLog.Prev, withoutLog.Epoch, withoutLog.SkipConnection = 0, "", "c1"
	h.DeliverPublication(ns, withoutLog)
	h.want("own, without log", own, "")
	h.want("other, without log", other, "j n:a/0 1")
}

func TestChannelsAreListedInOrderAndPages(t *testing.T) {
	h := newHouse(t)
	for _, channel := range []string{"n:b", "m:a", "n:a", "n:c", "n:b"} {
		h.join(channel, hub.Options{})
	}
	for _, row := range []struct {
		pattern, after string
		limit          int
		want           string
	}{
		{"*", "", 10, "[m:a n:a n:b n:c] false"},
		{"*", "", 2, "[m:a n:a] true"},
		{"*", "n:a", 2, "[n:b n:c] false"},
		{"n:*", "", 1, "[n:a] true"},
		{"x*", "", 1, "[] false"},
	} {
		channels, more := h.Channels(row.pattern, row.after, row.limit)
		if got := fmt.Sprint(channels, more); got != row.want {
			t.Errorf("%+v: %s", row, got)
		}
	}
}

func TestChannelsAtOnceKeepTheirOrderWhileOthersComeAndGo(t *testing.T) {
	h := newHouse(t)
	const channels, publications = 8, 500
	var steady [channels]*inbox
	for i := range steady {
		steady[i], _ = h.join(fmt.Sprint("n:", i), hub.Options{})
	}
	everything, _ := h.join("n:*", hub.Options{Connection: "all"})
	var all sync.WaitGroup
	for i := range channels {
		all.Go(func() {
			for offset := range uint64(publications) {
				h.publish(fmt.Sprint("n:", i), offset+1)
			}
		})
		all.Go(func() {
			for j := range publications / 5 {
				in, s := h.join(fmt.Sprint("n:", (i+j)%channels), hub.Options{})
				_, p := h.join(fmt.Sprint("n:", j%channels, "*"), hub.Options{Connection: fmt.Sprint("c", i)})
				h.Leave(s)
				h.Leave(p)
				if !slices.IsSorted(in.offsets) {
					t.Errorf("a visitor got %v", in.offsets)
				}
			}
		})
	}
	all.Wait()
	for i := range steady {
		if len(steady[i].offsets) != publications || !slices.IsSorted(steady[i].offsets) {
			t.Errorf("channel %d: %d publications, sorted %t", i, len(steady[i].offsets), slices.IsSorted(steady[i].offsets))
		}
	}
	if everything.patterns != channels*publications {
		t.Errorf("%d by the pattern, want %d", everything.patterns, channels*publications)
	}
}
