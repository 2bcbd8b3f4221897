package backendtest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/seed"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
)

func testState(t *testing.T, open Open) {
	t.Run("STA-1 entries come in the byte order of their keys", func(t *testing.T) {
		f := newFixture(t, open)
		keys := []string{"b", "a", "B", "a/1", "é", "aa", "~", "10", "9", "\U0001F600", "z"}
		for _, key := range keys {
			f.set(key, "0")
		}
		slices.Sort(keys)
		page := f.state(broker.StateQuery{})
		if got := keysOf(page.Entries); !slices.Equal(got, keys) || page.More || page.AsOf != 11 {
			t.Errorf("keys %q, more %t, as of %d", got, page.More, page.AsOf)
		}
	})
	t.Run("STA-1 pages make the whole", func(t *testing.T) {
		f := newFixture(t, open)
		for i := range 50 {
			f.set(fmt.Sprintf("%03d", i*7%50), "0")
		}
		for _, limit := range []int{1, 7, 49, 50, 51} {
			var all []string
			query := broker.StateQuery{Limit: limit}
			for more := true; more; {
				page := f.state(query)
				if len(page.Entries) == 0 || len(page.Entries) > limit {
					t.Fatalf("page of %d entries", len(page.Entries))
				}
				all = append(all, keysOf(page.Entries)...)
				query.After, more = all[len(all)-1], page.More
			}
			if len(all) != 50 || !slices.IsSorted(all) {
				t.Errorf("limit %d: %q", limit, all)
			}
		}
	})
	t.Run("STA-1 after need not be a key that exists", func(t *testing.T) {
		f := newFixture(t, open)
		f.set("a", "0")
		f.set("c", "0")
		for after, want := range map[string]string{"": "[a c]", "A": "[a c]", "a": "[c]", "b": "[c]", "c": "[]", "d": "[]"} {
			if got := fmt.Sprint(keysOf(f.state(broker.StateQuery{After: after}).Entries)); got != want {
				t.Errorf("after %q: %s, want %s", after, got, want)
			}
		}
	})
	t.Run("STA-1 key asks for one key only", func(t *testing.T) {
		f := newFixture(t, open)
		f.set("a", "1")
		f.set("b", "2")
		page := f.state(broker.StateQuery{Key: "b"})
		if !sameEntries(page.Entries, []realtime.Entry{{Key: "b", Value: text("2"), Version: 2}}) || page.More || page.AsOf != 2 {
			t.Errorf("page %+v", page)
		}
		if page := f.state(broker.StateQuery{Key: "c"}); len(page.Entries) != 0 || page.More {
			t.Errorf("of an absent key: %+v", page)
		}
	})
	t.Run("STA-1 limit is 1 to 1000", func(t *testing.T) {
		f := newFixture(t, open)
		for _, limit := range []int{-1, 0, 1001} {
			_, err := f.backend.State(t.Context(), f.ns, room, broker.StateQuery{Limit: limit})
			f.wantCode(err, realtime.CodeBadRequest)
		}
	})
	t.Run("HIS-3 a page of state has at most 512 KiB", func(t *testing.T) {
		f := newFixture(t, open)
		for i := range 8 {
			f.set(strconv.Itoa(i), `"`+strings.Repeat("x", 100<<10)+`"`)
		}
		page := f.state(broker.StateQuery{})
		if len(page.Entries) != 5 || !page.More {
			t.Errorf("%d entries, more %t", len(page.Entries), page.More)
		}
		if rest := f.state(broker.StateQuery{After: "4"}); len(rest.Entries) != 3 || rest.More {
			t.Errorf("%d entries, more %t", len(rest.Entries), rest.More)
		}
	})
	t.Run("STA-1 of a channel that does not exist it is empty", func(t *testing.T) {
		f := newFixture(t, open)
		if page := f.state(broker.StateQuery{}); len(page.Entries) != 0 || page.More || page.AsOf != 0 {
			t.Errorf("page %+v", page)
		}
	})
	t.Run("POS-7 a snapshot and the entries after it are the present state", testSnapshotAndEntries(open))
}

func keysOf(entries []realtime.Entry) []string {
	keys := make([]string, len(entries))
	for i, e := range entries {
		keys[i] = e.Key
	}
	return keys
}

func testSnapshotAndEntries(open Open) func(t *testing.T) {
	return func(t *testing.T) {
		f := newFixture(t, open, func(ns *realtime.Namespace) { ns.HistoryEntriesMax = 1000 })
		random := seed.Rand(t)
		var snapshots []broker.StatePage
		for range 300 {
			u := broker.Update{Op: broker.Op(1 + random.IntN(5)), Key: string(rune('a' + random.IntN(5))), By: 1, Version: uint64(random.IntN(20))}
			u.Value = text(strconv.Itoa(random.IntN(50)))
			f.update(u)
			if random.IntN(10) == 0 {
				snapshots = append(snapshots, f.state(broker.StateQuery{}))
			}
		}
		present := f.state(broker.StateQuery{})
		for _, snapshot := range snapshots {
			if got := applyAll(snapshot, f.sink.Publications(room)); !sameEntries(got, present.Entries) {
				t.Errorf("from %d: %v, want %v", snapshot.AsOf, got, present.Entries)
			}
		}
	}
}

// applyAll is what a client makes of a snapshot and the stream.
func applyAll(snapshot broker.StatePage, stream []*realtime.Publication) []realtime.Entry {
	entries := make(map[string]realtime.Entry)
	for _, e := range snapshot.Entries {
		entries[e.Key] = e
	}
	for _, p := range stream {
		switch {
		case p.Offset <= snapshot.AsOf || p.State == nil:
		case p.State.Removed:
			delete(entries, p.State.Key)
		default:
			entries[p.State.Key] = realtime.Entry{Key: p.State.Key, Value: p.State.Value, Version: p.Offset}
		}
	}
	var list []realtime.Entry
	for _, e := range entries {
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b realtime.Entry) int { return strings.Compare(a.Key, b.Key) })
	return list
}
