package backendtest

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
)

// pageBytesMax is HIS-3's; state and presence follow the same rule.
const pageBytesMax = 512 << 10

func testHistory(t *testing.T, open Open) {
	t.Run("history rows", testHistoryRows(open))
	t.Run("HIS-1 a page has epoch and top", func(t *testing.T) {
		f, epoch := ten(t, open)
		if page := f.history(broker.HistoryQuery{Limit: 1}); page.Epoch != epoch || page.Top != 10 {
			t.Errorf("page %+v", page)
		}
	})
	t.Run("HIS-1 limit is 1 to 1000 (AP-13)", func(t *testing.T) {
		f, _ := ten(t, open)
		for _, limit := range []int{-1, 0, 1001, math.MinInt, math.MaxInt} {
			_, err := f.backend.History(t.Context(), f.ns, room, broker.HistoryQuery{Limit: limit})
			f.wantCode(err, realtime.CodeBadRequest)
		}
		f.wantOffsets("limit 1000", f.history(broker.HistoryQuery{Limit: 1000}).Publications, span(6, 10)...)
	})
	t.Run("HIS-1 pages in both directions make the whole", testHistoryPages(open))
	t.Run("HIS-1 a channel that does not exist is empty and stays so", func(t *testing.T) {
		f := newFixture(t, open)
		page := f.history(broker.HistoryQuery{})
		if page.Top != 0 || len(page.Publications) != 0 || page.More || page.Missed != nil {
			t.Errorf("page %+v", page)
		}
		f.wantMissed(f.history(broker.HistoryQuery{Since: at("another", 3)}).Missed, realtime.Missed{From: 4})
		if list, err := f.backend.Channels(t.Context(), broker.ChannelsQuery{Pattern: "*", Limit: 10}); err != nil || len(list.Channels) != 0 {
			t.Errorf("channels %v, %v", list, err)
		}
	})
	t.Run("HIS-2 never another channel's entries (AP-13)", func(t *testing.T) {
		f, _ := ten(t, open)
		other := f.publishDraft(broker.Draft{Channel: "room:2", Payload: text(`"secret"`)}).Position
		for _, reverse := range []bool{false, true} {
			for _, offset := range []uint64{0, 1, 7} {
				page := f.history(broker.HistoryQuery{Since: at(other.Epoch, offset), Reverse: reverse})
				for _, p := range page.Publications {
					if p.Channel != room {
						t.Errorf("entry of %s", p.Channel)
					}
				}
			}
		}
	})
	t.Run("HIS-3 a page has at most 512 KiB", testHistoryBytes(open))
}

type historyRow struct {
	name    string
	query   broker.HistoryQuery
	offsets []uint64
	more    bool
	missed  *realtime.Missed
}

func historyRows(epoch string) []historyRow {
	return []historyRow{
		{"HIS-1 forward without since: from the oldest held", broker.HistoryQuery{}, span(6, 10), false, nil},
		{"HIS-1 forward, limited", broker.HistoryQuery{Limit: 2}, span(6, 7), true, nil},
		{"HIS-1 forward, exactly the rest", broker.HistoryQuery{Limit: 5}, span(6, 10), false, nil},
		{"HIS-1 forward after since", broker.HistoryQuery{Since: at(epoch, 8)}, span(9, 10), false, nil},
		{"HIS-1 forward after since, limited", broker.HistoryQuery{Since: at(epoch, 6), Limit: 3}, span(7, 9), true, nil},
		{"HIS-1 forward from just before the oldest", broker.HistoryQuery{Since: at(epoch, 5)}, span(6, 10), false, nil},
		{"HIS-1 forward at the top: nothing", broker.HistoryQuery{Since: at(epoch, 10)}, nil, false, nil},
		{"HIS-1 reverse without since: newest first", broker.HistoryQuery{Reverse: true}, span(10, 6), false, nil},
		{"HIS-1 reverse, limited", broker.HistoryQuery{Reverse: true, Limit: 2}, span(10, 9), true, nil},
		{"HIS-1 reverse before since", broker.HistoryQuery{Reverse: true, Since: at(epoch, 8)}, span(7, 6), false, nil},
		{"HIS-1 reverse before since, limited", broker.HistoryQuery{Reverse: true, Since: at(epoch, 10), Limit: 1}, span(9, 9), true, nil},
		{"HIS-1 reverse before the oldest: nothing", broker.HistoryQuery{Reverse: true, Since: at(epoch, 6)}, nil, false, nil},
		{"HIS-1 reverse from 0: nothing (AP-13)", broker.HistoryQuery{Reverse: true, Since: at(epoch, 0)}, nil, false, nil},
		{"HIS-1 reverse from 1: nothing", broker.HistoryQuery{Reverse: true, Since: at(epoch, 1)}, nil, false, nil},
		{"HIS-2 forward before base: missed range (AP-13)", broker.HistoryQuery{Since: at(epoch, 2)}, span(6, 10), false, &realtime.Missed{From: 3, To: 5}},
		{"HIS-2 forward before base, limited", broker.HistoryQuery{Since: at(epoch, 0), Limit: 1}, span(6, 6), true, &realtime.Missed{From: 1, To: 5}},
		{"HIS-2 forward beyond top: from the oldest (AP-13)", broker.HistoryQuery{Since: at(epoch, 11)}, span(6, 10), false, &realtime.Missed{From: 12}},
		{"HIS-2 reverse beyond top: from the newest (AP-13)", broker.HistoryQuery{Reverse: true, Since: at(epoch, 11)}, span(10, 6), false, &realtime.Missed{From: 12}},
		{"HIS-2 forward in another epoch: from the oldest (AP-13)", broker.HistoryQuery{Since: at("another", 8)}, span(6, 10), false, &realtime.Missed{From: 9}},
		{"HIS-2 reverse in another epoch: from the newest (AP-13)", broker.HistoryQuery{Reverse: true, Since: at("another", 8)}, span(10, 6), false, &realtime.Missed{From: 9}},
		{"HIS-2 no epoch is another epoch", broker.HistoryQuery{Since: at("", 8)}, span(6, 10), false, &realtime.Missed{From: 9}},
	}
}

func testHistoryRows(open Open) func(t *testing.T) {
	return func(t *testing.T) {
		f, epoch := ten(t, open)
		for _, row := range historyRows(epoch) {
			t.Run(row.name, func(t *testing.T) {
				g := *f
				g.T = t
				page := g.history(row.query)
				g.wantOffsets("page", page.Publications, append([]uint64{}, row.offsets...)...)
				if page.More != row.more {
					t.Errorf("more %t, want %t", page.More, row.more)
				}
				if (page.Missed == nil) != (row.missed == nil) || page.Missed != nil && *page.Missed != *row.missed {
					t.Errorf("missed %v, want %v", page.Missed, row.missed)
				}
			})
		}
	}
}

func testHistoryPages(open Open) func(t *testing.T) {
	return func(t *testing.T) {
		f := newFixture(t, open)
		f.publishMany(1, 50)
		epoch := f.epoch()
		for _, reverse := range []bool{false, true} {
			for _, limit := range []int{1, 7, 49, 50, 51} {
				query := broker.HistoryQuery{Limit: limit, Reverse: reverse}
				var all []*realtime.Publication
				for more := true; more; {
					page := f.history(query)
					if len(page.Publications) == 0 || len(page.Publications) > limit {
						t.Fatalf("page of %d entries", len(page.Publications))
					}
					all = append(all, page.Publications...)
					query.Since, more = at(epoch, all[len(all)-1].Offset), page.More
				}
				want := span(1, 50)
				if reverse {
					want = span(50, 1)
				}
				f.wantOffsets(fmt.Sprint("reverse ", reverse, " limit ", limit), all, want...)
			}
		}
	}
}

func testHistoryBytes(open Open) func(t *testing.T) {
	return func(t *testing.T) {
		f := newFixture(t, open)
		f.publish(`"` + strings.Repeat("x", pageBytesMax+100) + `"`) // alone it is too large, and comes alone
		for range 9 {
			f.publish(`"` + strings.Repeat("x", 100<<10-2) + `"`)
		}
		for _, row := range []struct {
			query broker.HistoryQuery
			want  []uint64
		}{
			{broker.HistoryQuery{}, span(1, 1)},
			{broker.HistoryQuery{Since: at(f.epoch(), 1)}, span(2, 6)},
			{broker.HistoryQuery{Reverse: true}, span(10, 6)},
		} {
			page := f.history(row.query)
			f.wantOffsets(fmt.Sprintf("%+v", row.query), page.Publications, row.want...)
			if !page.More {
				t.Errorf("%+v: no more", row.query)
			}
		}
		last := f.history(broker.HistoryQuery{Since: at(f.epoch(), 6)})
		f.wantOffsets("the last page", last.Publications, span(7, 10)...)
		if last.More {
			t.Error("more after the last page")
		}
	}
}
