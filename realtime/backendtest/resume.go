package backendtest

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
)

// ten is a channel with offsets 6 to 10 held, of 10.
func ten(t *testing.T, open Open) (f *fixture, epoch string) {
	f = newFixture(t, open, func(ns *realtime.Namespace) { ns.HistoryEntriesMax = 5 })
	f.publishMany(1, 10)
	return f, f.epoch()
}

func testResume(t *testing.T, open Open) {
	t.Run("SUB-2 a channel in which nothing happened begins at 0", func(t *testing.T) {
		f := newFixture(t, open)
		r := f.resume(broker.ResumeQuery{})
		if r.Position.Offset != 0 || r.Top != 0 || len(r.Publications) != 0 || r.Missed != nil || r.Snapshot != nil {
			t.Errorf("resumption %+v", r)
		}
		if published := f.publish("1"); published.Position != at(r.Position.Epoch, 1) {
			t.Errorf("the first position is %v, the subscriber's %v", published.Position, r.Position)
		}
	})
	t.Run("SUB-3 without since it begins at the top", func(t *testing.T) {
		f, epoch := ten(t, open)
		r := f.resume(broker.ResumeQuery{})
		if r.Position != at(epoch, 10) || r.Top != 10 || len(r.Publications) != 0 || r.Missed != nil {
			t.Errorf("resumption %+v", r)
		}
	})
	t.Run("SUB-3 with rewind it begins up to that many before", testRewind(open))
	t.Run("resumption rows", testResumeRows(open))
	t.Run("SUB-4 what is resumed is what was delivered", func(t *testing.T) {
		f, epoch := ten(t, open)
		resumed, delivered := f.resume(since(epoch, 5)).Publications, f.sink.Publications(room)[5:]
		for i := range resumed {
			wantSame(t, resumed[i], delivered[i])
		}
	})
	t.Run("SUB-5 entries that aged away are missed, also when nothing is held", func(t *testing.T) {
		f := newFixture(t, open)
		stream := f.sink.Join(room)
		defer f.sink.Leave(room, stream)
		f.publishMany(1, 4)
		epoch := f.epoch()
		f.control.Advance(61 * time.Second)
		r := f.resume(since(epoch, 2))
		f.wantMissed(r.Missed, realtime.Missed{From: 3, To: 4})
		if r.Recovered || r.Position != at(epoch, 4) || r.Top != 4 {
			t.Errorf("resumption %+v", r)
		}
		if r := f.resume(since(epoch, 4)); !r.Recovered || r.Missed != nil {
			t.Errorf("at the top: %+v", r)
		}
	})
	t.Run("SUB-7 top is the newest entry and the last that is replayed", func(t *testing.T) {
		f, epoch := ten(t, open)
		r := f.resume(since(epoch, 7))
		if r.Top != 10 || r.Publications[len(r.Publications)-1].Offset != r.Top {
			t.Errorf("resumption %+v", r)
		}
	})
	t.Run("SUB-8 the snapshot is the state at the top, except when recovered", testSnapshots(open))
	t.Run("SUB-8 a snapshot is whole, however large", func(t *testing.T) {
		f := newFixture(t, open)
		large := `"` + strings.Repeat("x", 2000) + `"`
		for i := range 1500 {
			f.set("key-"+strconv.Itoa(i), large)
		}
		if got := len(f.resume(broker.ResumeQuery{Snapshot: true}).Snapshot.Entries); got != 1500 {
			t.Errorf("%d entries, want 1500", got)
		}
	})
}

func testRewind(open Open) func(t *testing.T) {
	return func(t *testing.T) {
		f, epoch := ten(t, open)
		for _, row := range []struct {
			rewind int
			offset uint64
		}{{0, 10}, {1, 9}, {4, 6}, {5, 5}, {6, 5}, {1000, 5}} {
			r := f.resume(broker.ResumeQuery{Rewind: row.rewind})
			if r.Position != at(epoch, row.offset) || r.Top != 10 || r.Missed != nil || r.Recovered {
				t.Errorf("rewind %d: %+v, want offset %d", row.rewind, r, row.offset)
			}
			if row.offset < 10 {
				f.wantOffsets("rewound", r.Publications, span(row.offset+1, 10)...)
			}
		}
	}
}

func testResumeRows(open Open) func(t *testing.T) {
	return func(t *testing.T) {
		f, epoch := ten(t, open)
		const other = "another"
		for _, row := range []struct {
			name      string
			since     realtime.Position
			recovered bool
			offset    uint64 // 10: nothing is replayed
			missed    *realtime.Missed
		}{
			{"SUB-4 at the top nothing is missed", at(epoch, 10), true, 10, nil},
			{"SUB-4 one before the top", at(epoch, 9), true, 9, nil},
			{"SUB-4 just before the oldest held", at(epoch, 5), true, 5, nil},
			{"SUB-5 older than held: missed range", at(epoch, 4), false, 5, &realtime.Missed{From: 5, To: 5}},
			{"SUB-5 from the very beginning", at(epoch, 0), false, 5, &realtime.Missed{From: 1, To: 5}},
			{"SUB-6 beyond the top", at(epoch, 11), false, 5, &realtime.Missed{From: 12}},
			{"SUB-6 far beyond the top", at(epoch, realtime.OffsetMax), false, 5, &realtime.Missed{From: realtime.OffsetMax}},
			{"SUB-6 beyond what an offset can be", at(epoch, 1<<64-1), false, 5, &realtime.Missed{From: realtime.OffsetMax}},
			{"SUB-6 another epoch", at(other, 7), false, 5, &realtime.Missed{From: 8}},
			{"SUB-6 another epoch at 0", at(other, 0), false, 5, &realtime.Missed{From: 1}},
			{"SUB-6 no epoch", at("", 7), false, 5, &realtime.Missed{From: 8}},
			{"SUB-6 another case of the epoch", at(swapCase(epoch), 7), false, 5, &realtime.Missed{From: 8}},
		} {
			t.Run(row.name, func(t *testing.T) {
				r := f.resume(since(row.since.Epoch, row.since.Offset))
				if r.Recovered != row.recovered || r.Position != at(epoch, row.offset) || r.Top != 10 {
					t.Errorf("resumption %+v", r)
				}
				if (r.Missed == nil) != (row.missed == nil) || r.Missed != nil && *r.Missed != *row.missed {
					t.Errorf("missed %v, want %v", r.Missed, row.missed)
				}
				want := []uint64{}
				if row.offset < 10 {
					want = span(row.offset+1, 10)
				}
				g := &fixture{T: t}
				g.wantOffsets("replayed", r.Publications, want...)
			})
		}
	}
}

func testSnapshots(open Open) func(t *testing.T) {
	return func(t *testing.T) {
		f := newFixture(t, open)
		f.set("b", "1")
		f.set("a", "2")
		f.publish("0")
		f.set("b", "3")
		epoch := f.epoch()
		for name, query := range map[string]broker.ResumeQuery{
			"fresh":          {Snapshot: true},
			"rewound":        {Snapshot: true, Rewind: 2},
			"other epoch":    {Snapshot: true, Since: &realtime.Position{Epoch: "another", Offset: 1}},
			"beyond the top": {Snapshot: true, Since: &realtime.Position{Epoch: epoch, Offset: 9}},
		} {
			r := f.resume(query)
			if r.Snapshot == nil {
				t.Errorf("%s: no snapshot", name)
				continue
			}
			want := []realtime.Entry{{Key: "a", Value: text("2"), Version: 2}, {Key: "b", Value: text("3"), Version: 4}}
			if r.Snapshot.AsOf != 4 || r.Snapshot.More || r.Snapshot.Epoch != epoch || !sameEntries(r.Snapshot.Entries, want) {
				t.Errorf("%s: snapshot %+v", name, r.Snapshot)
			}
		}
		recovered := since(epoch, 1)
		recovered.Snapshot = true
		if r := f.resume(recovered); r.Snapshot != nil || !r.Recovered {
			t.Errorf("recovered: %+v", r)
		}
		if r := f.resume(broker.ResumeQuery{}); r.Snapshot != nil {
			t.Errorf("a snapshot nobody asked for: %+v", r.Snapshot)
		}
		empty, err := f.backend.Resume(t.Context(), f.ns, "room:empty", broker.ResumeQuery{Snapshot: true})
		if err != nil || empty.Snapshot == nil || len(empty.Snapshot.Entries) != 0 || empty.Snapshot.AsOf != 0 {
			t.Errorf("of an empty channel: %+v, %v", empty, err)
		}
	}
}

func sameEntries(a, b []realtime.Entry) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Key != b[i].Key || a[i].Version != b[i].Version || !samePayload(a[i].Value, b[i].Value) {
			return false
		}
	}
	return true
}

// swapCase returns a text of the same letters that is not the same.
func swapCase(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' {
			b[i] = c ^ 0x20
			return string(b)
		}
	}
	return s + "-"
}
