package backendtest

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
)

// Open returns a new, empty backend that delivers to sink. It ends with the test.
type Open func(t *testing.T, sink broker.Sink) (broker.Backend, Control)

// Control is what the suite must be able to do to a backend from outside.
type Control interface {
	// Advance moves the clock of the backend on, in small steps, and lets it do meanwhile what it does at its deadlines.
	Advance(by time.Duration)

	// Restart ends the backend as the end of its process would, and opens it again with the same sink.
	Restart(t *testing.T) broker.Backend
}

// Run runs the whole contract.
func Run(t *testing.T, open Open) {
	groups := []struct {
		name string
		run  func(t *testing.T, open Open)
	}{
		{"positions", testPositions},
		{"limits of the log", testLogLimits},
		{"without log", testWithoutLog},
		{"idempotency", testIdempotency},
		{"resume", testResume},
		{"history", testHistory},
		{"state", testState},
		{"update", testUpdate},
		{"presence", testPresence},
		{"channels", testChannels},
		{"lives", testLives},
		{"races", testRaces},
	}
	for _, group := range groups {
		t.Run(group.name, func(t *testing.T) { group.run(t, open) })
	}
}

// fixture is one backend under test.
type fixture struct {
	*testing.T
	backend broker.Backend
	control Control
	sink    *Recorder
	ns      *realtime.Namespace
}

func newFixture(t *testing.T, open Open, change ...func(ns *realtime.Namespace)) *fixture {
	t.Helper()
	sink := NewRecorder()
	backend, control := open(t, sink)
	return &fixture{T: t, backend: backend, control: control, sink: sink, ns: namespace(change...)}
}

// namespace has every facet.
func namespace(change ...func(ns *realtime.Namespace)) *realtime.Namespace {
	ns := &realtime.Namespace{
		Name:    "room",
		History: true, HistoryEntriesMax: 100, HistoryAgeMax: time.Minute, HistoryBytesMax: 4 << 20,
		IdempotencyAgeMax: 5 * time.Minute, IdempotencyCountMax: 1000,
		State: true, StateKeysMax: 2000, StateBytesMax: 4 << 20,
		Presence: true, PresenceMembersMax: 2000,
		PayloadBytesMax: 1 << 20,
	}
	for _, c := range change {
		c(ns)
	}
	return ns
}

func volatile(ns *realtime.Namespace) { ns.History, ns.State = false, false }

const room = "room:1"

func (f *fixture) publishDraft(draft broker.Draft) broker.Published {
	f.Helper()
	published, err := f.backend.Publish(f.Context(), f.ns, draft)
	if err != nil {
		f.Fatalf("publish: %v", err)
	}
	return published
}

func (f *fixture) publish(data string) broker.Published {
	f.Helper()
	return f.publishDraft(broker.Draft{Channel: room, Payload: text(data)})
}

// publishMany publishes "from" to "to" as numbers, which on a fresh channel are the offsets.
func (f *fixture) publishMany(from, to int) {
	f.Helper()
	for i := from; i <= to; i++ {
		f.publish(strconv.Itoa(i))
	}
}

func (f *fixture) update(u broker.Update) broker.Updated {
	f.Helper()
	updated, err := f.tryUpdate(u)
	if err != nil {
		f.Fatalf("update: %v", err)
	}
	return updated
}

func (f *fixture) tryUpdate(u broker.Update) (broker.Updated, error) {
	if u.Channel == "" {
		u.Channel = room
	}
	return f.backend.Update(f.Context(), f.ns, u)
}

func (f *fixture) set(key, value string) broker.Updated {
	f.Helper()
	return f.update(broker.Update{Op: broker.OpSet, Key: key, Value: text(value)})
}

func (f *fixture) history(query broker.HistoryQuery) broker.HistoryPage {
	f.Helper()
	if query.Limit == 0 {
		query.Limit = broker.LimitMax
	}
	page, err := f.backend.History(f.Context(), f.ns, room, query)
	if err != nil {
		f.Fatalf("history: %v", err)
	}
	return page
}

func (f *fixture) state(query broker.StateQuery) broker.StatePage {
	f.Helper()
	if query.Limit == 0 {
		query.Limit = broker.LimitMax
	}
	page, err := f.backend.State(f.Context(), f.ns, room, query)
	if err != nil {
		f.Fatalf("state: %v", err)
	}
	return page
}

func (f *fixture) resume(query broker.ResumeQuery) broker.Resumption {
	f.Helper()
	resumption, err := f.backend.Resume(f.Context(), f.ns, room, query)
	if err != nil {
		f.Fatalf("resume: %v", err)
	}
	return resumption
}

// epoch is the channel's, as a fresh subscriber learns it.
func (f *fixture) epoch() string {
	f.Helper()
	return f.resume(broker.ResumeQuery{}).Position.Epoch
}

func (f *fixture) wantCode(err error, code realtime.Code) {
	f.Helper()
	if realtime.CodeOf(err) != code {
		f.Errorf("error %v, want code %d", err, code)
	}
}

func (f *fixture) wantOffsets(what string, publications []*realtime.Publication, want ...uint64) {
	f.Helper()
	if got := offsets(publications); fmt.Sprint(got) != fmt.Sprint(want) {
		f.Errorf("%s: offsets %v, want %v", what, got, want)
	}
}

func (f *fixture) wantMissed(missed *realtime.Missed, want realtime.Missed) {
	f.Helper()
	if missed == nil || *missed != want {
		f.Errorf("missed %v, want %v", missed, want)
	}
}

func offsets(publications []*realtime.Publication) []uint64 {
	list := make([]uint64, len(publications))
	for i, p := range publications {
		list[i] = p.Offset
	}
	return list
}

// span is the list first, first+1 … last; descending when first is greater.
func span(first, last uint64) []uint64 {
	list := []uint64{}
	for i := first; ; {
		list = append(list, i)
		switch {
		case i == last:
			return list
		case i < last:
			i++
		default:
			i--
		}
	}
}

func text(value string) realtime.Payload { return realtime.JSON([]byte(value)) }

func at(epoch string, offset uint64) realtime.Position {
	return realtime.Position{Epoch: epoch, Offset: offset}
}

func since(epoch string, offset uint64) broker.ResumeQuery {
	position := at(epoch, offset)
	return broker.ResumeQuery{Since: &position}
}

// background is for goroutines that may outlive the moment in which the test's own context ends.
var background = context.Background()
