package history_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/history"
)

var start = time.UnixMilli(1_790_000_000_000)

var wide = history.Limits{EntriesMax: 1000, AgeMax: time.Hour, BytesMax: 1 << 20}

func entry(offset uint64, bytes int, at time.Time) *realtime.Publication {
	return &realtime.Publication{Offset: offset, Prev: offset - 1, Time: at, Payload: realtime.JSON([]byte(strings.Repeat("1", bytes)))}
}

// filled has entries 1 to top of one byte, one a second, within limits.
func filled(top int, limits history.Limits) *history.Log {
	var l history.Log
	for i := 1; i <= top; i++ {
		at := start.Add(time.Duration(i) * time.Second)
		l.Append(entry(uint64(i), 1, at))
		l.Trim(limits, at)
	}
	return &l
}

func offsets(page []*realtime.Publication) string {
	var list []uint64
	for _, p := range page {
		list = append(list, p.Offset)
	}
	return fmt.Sprint(list)
}

func TestTheZeroLogIsEmpty(t *testing.T) {
	var l history.Log
	if l.Top() != 0 || l.Base() != 1 || l.Len() != 0 || l.Bytes() != 0 {
		t.Errorf("top %d base %d len %d bytes %d", l.Top(), l.Base(), l.Len(), l.Bytes())
	}
	if _, found := l.OldestTime(); found {
		t.Error("an oldest entry")
	}
	l.Trim(wide, start)
	l.DropOldest()
	if page, more := l.After(0, 10, 10); len(page) != 0 || more {
		t.Errorf("page %v, more %t", page, more)
	}
}

func TestAppendWantsTheNextOffset(t *testing.T) {
	for _, offset := range []uint64{0, 1, 3} {
		t.Run(fmt.Sprint(offset), func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("a gap was taken")
				}
			}()
			filled(1, wide).Append(entry(offset, 1, start))
		})
	}
}

func TestPOS3Trim(t *testing.T) {
	for _, row := range []struct {
		rule   string
		limits history.Limits
		now    time.Duration // after start; entries are of second 1 to 10
		base   uint64
	}{
		{"nothing to drop", wide, 10 * time.Second, 1},
		{"count", history.Limits{EntriesMax: 3, AgeMax: time.Hour, BytesMax: 100}, 10 * time.Second, 8},
		{"count of 1", history.Limits{EntriesMax: 1, AgeMax: time.Hour, BytesMax: 100}, 10 * time.Second, 10},
		{"count of 0 holds nothing", history.Limits{EntriesMax: 0, AgeMax: time.Hour, BytesMax: 100}, 10 * time.Second, 11},
		{"bytes", history.Limits{EntriesMax: 100, AgeMax: time.Hour, BytesMax: 4}, 10 * time.Second, 7},
		{"age, just before it is reached", history.Limits{EntriesMax: 100, AgeMax: 9 * time.Second, BytesMax: 100}, 10*time.Second - 1, 1},
		{"age, when it is reached", history.Limits{EntriesMax: 100, AgeMax: 9 * time.Second, BytesMax: 100}, 10 * time.Second, 2},
		{"age of all", history.Limits{EntriesMax: 100, AgeMax: time.Second, BytesMax: 100}, time.Minute, 11},
		{"the first of them counts", history.Limits{EntriesMax: 5, AgeMax: 9 * time.Second, BytesMax: 3}, 10 * time.Second, 8},
		{"a clock that goes back drops nothing", history.Limits{EntriesMax: 100, AgeMax: time.Second, BytesMax: 100}, -time.Hour, 1},
	} {
		t.Run(row.rule, func(t *testing.T) {
			l := filled(10, wide)
			l.Trim(row.limits, start.Add(row.now))
			if l.Base() != row.base || l.Top() != 10 || l.Len() != int(11-row.base) || l.PayloadBytes() != l.Len() {
				t.Errorf("base %d, want %d; top %d len %d bytes %d", l.Base(), row.base, l.Top(), l.Len(), l.PayloadBytes())
			}
		})
	}
}

func TestPages(t *testing.T) {
	l := filled(10, history.Limits{EntriesMax: 5, AgeMax: time.Hour, BytesMax: 100}) // 6 to 10
	const huge = 1<<64 - 1
	for _, row := range []struct {
		rule         string
		before       bool
		offset       uint64
		limit, bytes int
		want         string
		more         bool
	}{
		{"after 0", false, 0, 100, 100, "[6 7 8 9 10]", false},
		{"after one before the oldest", false, 5, 100, 100, "[6 7 8 9 10]", false},
		{"after the oldest", false, 6, 100, 100, "[7 8 9 10]", false},
		{"after, limited", false, 6, 2, 100, "[7 8]", true},
		{"after, exactly the limit", false, 6, 4, 100, "[7 8 9 10]", false},
		{"after, bytes", false, 6, 100, 3, "[7 8 9]", true},
		{"after, fewer bytes than one entry", false, 6, 100, 0, "[7]", true},
		{"after the top", false, 10, 100, 100, "[]", false},
		{"after more than the top", false, 11, 100, 100, "[]", false},
		{"after the largest", false, huge, 100, 100, "[]", false},
		{"before 0", true, 0, 100, 100, "[]", false},
		{"before the oldest", true, 6, 100, 100, "[]", false},
		{"before the second", true, 7, 100, 100, "[6]", false},
		{"before the top", true, 10, 100, 100, "[9 8 7 6]", false},
		{"before one more than the top", true, 11, 100, 100, "[10 9 8 7 6]", false},
		{"before, limited", true, 11, 2, 100, "[10 9]", true},
		{"before, bytes", true, 11, 100, 4, "[10 9 8 7]", true},
		{"before the largest", true, huge, 100, 100, "[10 9 8 7 6]", false},
	} {
		t.Run(row.rule, func(t *testing.T) {
			read := l.After
			if row.before {
				read = l.Before
			}
			page, more := read(row.offset, row.limit, row.bytes)
			if offsets(page) != row.want || more != row.more {
				t.Errorf("%s more %t, want %s more %t", offsets(page), more, row.want, row.more)
			}
		})
	}
}

func TestMissed(t *testing.T) {
	l := filled(10, history.Limits{EntriesMax: 5, AgeMax: time.Hour, BytesMax: 100})
	for _, row := range []struct {
		rule  string
		since realtime.Position
		want  string
	}{
		{"SUB-4 at the top", realtime.Position{Epoch: "e", Offset: 10}, "<nil>"},
		{"SUB-4 just before the oldest", realtime.Position{Epoch: "e", Offset: 5}, "<nil>"},
		{"SUB-5 one is gone", realtime.Position{Epoch: "e", Offset: 4}, "&{5 5}"},
		{"SUB-5 all are gone", realtime.Position{Epoch: "e", Offset: 0}, "&{1 5}"},
		{"SUB-6 beyond the top", realtime.Position{Epoch: "e", Offset: 11}, "&{12 0}"},
		{"SUB-6 another epoch", realtime.Position{Epoch: "f", Offset: 10}, "&{11 0}"},
		{"SUB-6 the largest offset stays one", realtime.Position{Epoch: "f", Offset: 1<<64 - 1}, "&{9007199254740991 0}"},
	} {
		if got := fmt.Sprint(l.Missed("e", row.since)); got != row.want {
			t.Errorf("%s: %s, want %s", row.rule, got, row.want)
		}
	}
}

func TestTheRingGrowsAndShrinksWithWhatItHolds(t *testing.T) {
	var l history.Log
	top := uint64(0)
	for _, goal := range []int{1, 4, 5, 100, 3, 1000, 17, 0, 9, 0} {
		for l.Len() < goal {
			top++
			l.Append(entry(top, 1, start))
		}
		for l.Len() > goal {
			l.DropOldest()
		}
		page, _ := l.After(0, 10_000, 1<<20)
		if len(page) != goal || l.Base() != top-uint64(goal)+1 {
			t.Fatalf("goal %d: %d entries, base %d", goal, len(page), l.Base())
		}
		for i, p := range page {
			if p.Offset != l.Base()+uint64(i) {
				t.Fatalf("goal %d: %s", goal, offsets(page))
			}
		}
	}
}

// A log of one entry must not cost what a log of a thousand does.
func TestAppendToASteadyLogAllocatesNothing(t *testing.T) {
	limits := history.Limits{EntriesMax: 100, AgeMax: time.Hour, BytesMax: 1 << 20}
	l := filled(200, limits)
	p := entry(0, 1, start)
	if n := testing.AllocsPerRun(1000, func() {
		p.Offset = l.Top() + 1
		l.Append(p)
		l.Trim(limits, start)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
