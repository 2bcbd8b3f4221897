package memory_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire/backend/memory"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/backendtest"
	"github.com/bellwire/bellwire/realtime/broker"
)

func namespace() *realtime.Namespace {
	return &realtime.Namespace{
		Name: "n", History: true, HistoryEntriesMax: 1000, HistoryAgeMax: 5 * time.Minute, HistoryBytesMax: 1 << 20,
		IdempotencyAgeMax: 5 * time.Minute, IdempotencyCountMax: 1000,
		State: true, StateKeysMax: 1000, StateBytesMax: 1 << 20, Presence: true, PresenceMembersMax: 1000,
	}
}

// node is a backend with its sink and clock.
type node struct {
	*testing.T
	*memory.Backend
	sink  *backendtest.Recorder
	clock *manualClock
	ns    *realtime.Namespace
}

func newNode(t *testing.T, config memory.Config) *node {
	n := &node{T: t, sink: backendtest.NewRecorder(), clock: newManualClock(), ns: namespace()}
	config.Sink, config.Clock, config.Rand = n.sink, n.clock, &counting{}
	b, err := memory.New(config)
	if err != nil {
		t.Fatal(err)
	}
	n.Backend = b
	return n
}

func (n *node) advance(by time.Duration) {
	(&control{clock: n.clock, backend: n.Backend}).Advance(by)
}

func (n *node) tryPublish(channel string, bytes int) (broker.Published, error) {
	payload := realtime.JSON([]byte(`"` + strings.Repeat("x", bytes-2) + `"`))
	return n.Publish(n.Context(), n.ns, broker.Draft{Channel: channel, Payload: payload})
}

func (n *node) publish(channel string, bytes int) realtime.Position {
	n.Helper()
	published, err := n.tryPublish(channel, bytes)
	if err != nil {
		n.Fatal(err)
	}
	return published.Position
}

func (n *node) resume(channel string, since *realtime.Position) broker.Resumption {
	n.Helper()
	r, err := n.Resume(n.Context(), n.ns, channel, broker.ResumeQuery{Since: since})
	if err != nil {
		n.Fatal(err)
	}
	return r
}

func (n *node) set(channel, key string, bytes int) error {
	_, err := n.Update(n.Context(), n.ns, broker.Update{
		Channel: channel, Op: broker.OpSet, Key: key, Value: realtime.JSON([]byte(strings.Repeat("1", bytes))),
	})
	return err
}

// RS-08: far more is published than may be held; the oldest entries give way, and resuming subscribers are told.
func TestEvictionKeepsTheBytesAndIsHonest(t *testing.T) {
	const bytesMax = 1 << 20
	n := newNode(t, memory.Config{BytesMax: bytesMax})
	first := make(map[string]realtime.Position)
	for round := range 50 {
		for i := range 50 {
			channel := fmt.Sprint("n:", i)
			position := n.publish(channel, 1000)
			if round == 0 {
				first[channel] = position
			}
			if got := n.Stats().Bytes; got > bytesMax+2000 {
				t.Fatalf("%d bytes, at most %d", got, bytesMax)
			}
		}
		n.advance(time.Second)
	}
	if n.Stats().Evicted == 0 || n.Stats().Bytes < bytesMax/2 {
		t.Errorf("stats %+v", n.Stats())
	}
	for channel, position := range first {
		r := n.resume(channel, &position)
		if r.Recovered || r.Missed == nil || r.Missed.From != 2 || r.Missed.To != r.Position.Offset || r.Top != 50 || len(r.Publications) != int(50-r.Position.Offset) {
			t.Errorf("%s: %+v missed %v", channel, r, r.Missed)
		}
	}
}

func TestEvictionTakesTheOldestFirst(t *testing.T) {
	n := newNode(t, memory.Config{BytesMax: 100_000})
	old := n.publish("n:old", 1000)
	n.advance(time.Minute)
	for i := range 60 {
		n.publish(fmt.Sprint("n:", i), 100)
		n.advance(2 * time.Second)
	}
	young := n.resume("n:59", nil)
	for n.Stats().Evicted == 0 {
		n.publish("n:busy", 1000)
	}
	old.Offset = 0
	if r := n.resume("n:old", &old); r.Recovered {
		t.Errorf("the oldest entry is held: %+v", r)
	}
	young.Position.Offset = 0
	if r := n.resume("n:59", &young.Position); !r.Recovered {
		t.Errorf("a young entry is gone: %+v", r)
	}
	held := 0
	for i := range 60 {
		r := n.resume(fmt.Sprint("n:", i), nil)
		r.Position.Offset = 0
		switch recovered := n.resume(fmt.Sprint("n:", i), &r.Position).Recovered; {
		case recovered:
			held++
		case held > 0:
			t.Errorf("the entry of n:%d is gone, an older one is held", i)
		}
	}
}

func TestWhenStateFillsTheMemoryMoreIsRefused(t *testing.T) {
	n := newNode(t, memory.Config{BytesMax: 50_000})
	var err error
	kept := 0
	for ; err == nil; kept++ {
		err = n.set(fmt.Sprint("n:", kept/10), fmt.Sprint("k", kept), 1000)
	}
	if realtime.CodeOf(err) != realtime.CodeLimitExceeded || kept < 30 {
		t.Fatalf("after %d: %v", kept, err)
	}
	for name, try := range map[string]func() error{
		"publish": func() error { _, err := n.tryPublish("n:0", 10); return err },
		"enter": func() error {
			return n.Enter(t.Context(), n.ns, "n:0", broker.Entrant{User: "u", Connection: "c"})
		},
		"a new channel": func() error {
			_, err := n.Resume(t.Context(), n.ns, "n:new", broker.ResumeQuery{})
			return err
		},
	} {
		if err := try(); realtime.CodeOf(err) != realtime.CodeLimitExceeded {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range 20 {
		if _, err := n.Update(t.Context(), n.ns, broker.Update{Channel: fmt.Sprint("n:", i/10), Op: broker.OpRemove, Key: fmt.Sprint("k", i)}); err != nil {
			t.Fatalf("remove: %v", err)
		}
	}
	if err := n.set("n:new", "k", 1000); err != nil {
		t.Errorf("after keys were removed: %v", err)
	}
}

func TestAtTheMostChannelsIdleOnesGiveWay(t *testing.T) {
	n := newNode(t, memory.Config{ChannelsMax: 10})
	var streams []*backendtest.Stream
	for i := range 10 {
		streams = append(streams, n.sink.Join(fmt.Sprint("n:", i)))
		n.resume(fmt.Sprint("n:", i), nil)
	}
	if _, err := n.tryPublish("n:more", 10); realtime.CodeOf(err) != realtime.CodeLimitExceeded {
		t.Errorf("an eleventh channel: %v", err)
	}
	n.sink.Leave("n:3", streams[3])
	before := n.resume("n:3", nil).Position
	n.advance(2 * time.Second)
	if _, err := n.tryPublish("n:more", 10); err != nil {
		t.Errorf("after one has no subscriber: %v", err)
	}
	if _, err := n.Resume(t.Context(), n.ns, "n:3", broker.ResumeQuery{}); realtime.CodeOf(err) != realtime.CodeLimitExceeded {
		t.Errorf("the channel that gave way: %v", err)
	}
	n.advance(20 * time.Minute) // n:more ends
	if after := n.resume("n:3", &before); after.Recovered || after.Position.Epoch == before.Epoch {
		t.Errorf("before %v, after %+v", before, after)
	}
}

// I14, RS-04: when everybody is gone and everything has expired, nothing is left.
func TestIdleChannelsAreForgotten(t *testing.T) {
	n := newNode(t, memory.Config{})
	for i := range 1000 {
		channel := fmt.Sprint("n:", i)
		n.publish(channel, 10)
		if err := n.Enter(t.Context(), n.ns, channel, broker.Entrant{User: "u", Connection: "c"}); err != nil {
			t.Fatal(err)
		}
		if err := n.set(channel, "k", 1); err != nil {
			t.Fatal(err)
		}
	}
	n.advance(time.Hour)
	if got := n.Stats().Channels; got != 1000 {
		t.Errorf("%d channels with state and members, want 1000", got)
	}
	for i := range 1000 {
		channel := fmt.Sprint("n:", i)
		if err := n.Leave(t.Context(), n.ns, channel, "u", "c"); err != nil {
			t.Fatal(err)
		}
		if _, err := n.Update(t.Context(), n.ns, broker.Update{Channel: channel, Op: broker.OpRemove, Key: "k"}); err != nil {
			t.Fatal(err)
		}
	}
	n.advance(11 * time.Minute)
	if s := n.Stats(); s.Channels != 0 || s.Bytes != 0 {
		t.Errorf("stats %+v", s)
	}
	if _, ok := n.Backend.Deadline(); ok {
		t.Error("a deadline of nothing")
	}
}

func TestAChannelIsRememberedForItsHistory(t *testing.T) {
	n := newNode(t, memory.Config{})
	stream := n.sink.Join("n:a")
	position := n.publish("n:a", 10)
	n.advance(time.Hour)
	n.sink.Leave("n:a", stream)
	for range 20 { // looks at the channel do not shorten the time
		n.advance(14 * time.Second)
		if got := n.Stats().Channels; got != 1 {
			t.Fatalf("%d channels", got)
		}
	}
	if r := n.resume("n:a", &position); !r.Recovered {
		t.Errorf("resumption %+v", r)
	}
	n.advance(5*time.Minute - time.Second) // the resumption was a use
	if got := n.Stats().Channels; got != 1 {
		t.Errorf("%d channels", got)
	}
	n.advance(10 * time.Minute)
	if got := n.Stats().Channels; got != 0 {
		t.Errorf("%d channels", got)
	}
}

func TestUsingAnIdleChannelBeginsItsTimeAnew(t *testing.T) {
	n := newNode(t, memory.Config{})
	position := n.publish("n:a", 10)
	n.advance(9 * time.Minute) // the entry expired after 5; found idle then, it would go after 10
	if r := n.resume("n:a", &position); !r.Recovered {
		t.Fatalf("resumption %+v", r)
	}
	n.advance(4 * time.Minute)
	if r := n.resume("n:a", &position); !r.Recovered {
		t.Errorf("4 min after it was used: %+v", r)
	}
}

// A sink that cannot tell who is subscribed.
type blindSink struct{ broker.Sink }

func TestOfASinkThatCannotTellNothingIsForgotten(t *testing.T) {
	clock := newManualClock()
	b, err := memory.New(memory.Config{Sink: blindSink{backendtest.NewRecorder()}, Clock: clock, Rand: &counting{}})
	if err != nil {
		t.Fatal(err)
	}
	n := &node{T: t, Backend: b, clock: clock, ns: namespace()}
	position := n.publish("n:a", 10)
	n.advance(48 * time.Hour)
	if r := n.resume("n:a", &position); !r.Recovered {
		t.Errorf("resumption %+v", r)
	}
}

func TestAChannelOfIDsAloneIsForgottenWithThem(t *testing.T) {
	n := newNode(t, memory.Config{})
	n.ns.History, n.ns.State = false, false
	if _, err := n.Publish(t.Context(), n.ns, broker.Draft{Channel: "n:a", ID: "x", Payload: realtime.JSON([]byte("1"))}); err != nil {
		t.Fatal(err)
	}
	n.publish("n:b", 10) // without id it needs no channel
	if got := n.Stats().Channels; got != 1 {
		t.Errorf("%d channels, want 1", got)
	}
	n.advance(5 * time.Minute)
	if got := n.Stats().Channels; got != 0 {
		t.Errorf("%d channels, want 0", got)
	}
}

func TestNewFailsWithoutRandomness(t *testing.T) {
	broken := errors.New("no entropy")
	if _, err := memory.New(memory.Config{Rand: io.MultiReader(strings.NewReader("abc"), failing{broken})}); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

// expiring is a sink without subscribers that says when it is asked who is subscribed.
type expiring struct {
	*backendtest.Recorder
	asked chan string
}

func (s *expiring) Subscribers(channel string) int {
	select {
	case s.asked <- channel:
	default:
	}
	return 0
}

func TestStartExpiresByItself(t *testing.T) {
	sink := &expiring{backendtest.NewRecorder(), make(chan string, 1)}
	b, err := memory.New(memory.Config{Sink: sink, Clock: systemClock{}, Rand: &counting{}})
	if err != nil {
		t.Fatal(err)
	}
	b.Start()
	b.Start() // one goroutine only
	n := &node{T: t, Backend: b, ns: namespace()}
	n.ns.HistoryAgeMax = time.Millisecond
	n.publish("n:a", 10)
	if got := <-sink.asked; got != "n:a" { // it looks when the entry has expired
		t.Errorf("asked for %q", got)
	}
	for range 2 {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}

// I17: nothing deadlocks and the counts stay exact while everything happens at once, with too little memory.
func TestEverythingAtOnceUnderPressure(t *testing.T) {
	n := newNode(t, memory.Config{BytesMax: 200_000, ChannelsMax: 60})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 400 {
				channel := fmt.Sprint("n:", (i*7+j)%80)
				n.everything(channel, fmt.Sprint("c", i), j)
			}
		})
	}
	all.Go(func() {
		for range 100 {
			n.advance(3 * time.Second)
		}
	})
	all.Wait()
	for i := range 80 {
		for c := range 8 {
			if err := n.Leave(t.Context(), n.ns, fmt.Sprint("n:", i), "u", fmt.Sprint("c", c)); err != nil {
				t.Error(err)
			}
		}
		_, err := n.Update(t.Context(), n.ns, broker.Update{Channel: fmt.Sprint("n:", i), Op: broker.OpRemove, Key: "k"})
		if err != nil && realtime.CodeOf(err) != realtime.CodeLimitExceeded {
			t.Error(err)
		}
	}
	n.advance(time.Hour)
	if s := n.Stats(); s.Channels != 0 || s.Bytes != 0 {
		t.Errorf("stats %+v", s)
	}
}

// everything uses one channel in every way; only the memory's limits may refuse.
func (n *node) everything(channel, connection string, round int) {
	ctx := n.Context()
	_, errPublish := n.tryPublish(channel, 500)
	errSet := n.set(channel, "k", round%300+1)
	errEnter := n.Enter(ctx, n.ns, channel, broker.Entrant{User: "u", Connection: connection})
	_, errResume := n.Resume(ctx, n.ns, channel, broker.ResumeQuery{Rewind: 3, Snapshot: true})
	for _, err := range []error{errPublish, errSet, errEnter, errResume} {
		if err != nil && realtime.CodeOf(err) != realtime.CodeLimitExceeded {
			n.Error(err)
		}
	}
	_, errHistory := n.History(ctx, n.ns, channel, broker.HistoryQuery{Limit: 10, Reverse: true})
	_, errPresence := n.Presence(ctx, n.ns, channel, broker.PresenceQuery{Limit: 10})
	_, errChannels := n.Channels(ctx, broker.ChannelsQuery{Pattern: "n:*", Limit: 10})
	errLeave := n.Leave(ctx, n.ns, channel, "u", connection)
	if err := errors.Join(errHistory, errPresence, errChannels, errLeave, n.Ready(ctx)); err != nil {
		n.Error(err)
	}
}
