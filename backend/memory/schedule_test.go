package memory

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// The heap against a list that is sorted anew at every step.
func TestScheduleAgreesWithASortedList(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	start := time.UnixMilli(0)
	q := schedule{slot: slotUpkeep}
	var in, out []*held
	for range 50 {
		out = append(out, &held{index: [slots]int{-1, -1}})
	}
	for step := range 20_000 {
		at := start.Add(time.Duration(r.IntN(1000)) * time.Second)
		switch choice := r.IntN(3); {
		case choice == 0 && len(out) > 0:
			c := out[len(out)-1]
			out = out[:len(out)-1]
			in = append(in, c)
			q.set(c, at)
		case choice == 1 && len(in) > 0:
			q.set(in[r.IntN(len(in))], at)
		case len(in) > 0:
			i := r.IntN(len(in))
			q.remove(in[i])
			q.remove(in[i]) // not an error
			out = append(out, in[i])
			in = slices.Delete(in, i, i+1)
		}
		checkSchedule(t, step, &q, in)
	}
}

func checkSchedule(t *testing.T, step int, q *schedule, in []*held) {
	t.Helper()
	if len(q.items) != len(in) {
		t.Fatalf("step %d: %d items, want %d", step, len(q.items), len(in))
	}
	for i, c := range q.items {
		if c.index[q.slot] != i {
			t.Fatalf("step %d: item %d thinks it is %d", step, i, c.index[q.slot])
		}
		if i > 0 && q.earlier(i, (i-1)/2) {
			t.Fatalf("step %d: item %d is earlier than its parent", step, i)
		}
	}
	var first *held
	for _, c := range in {
		if first == nil || c.at[q.slot].Before(first.at[q.slot]) {
			first = c
		}
	}
	if got := q.first(); (got == nil) != (first == nil) || got != nil && !got.at[q.slot].Equal(first.at[q.slot]) {
		t.Fatalf("step %d: first %v, want %v", step, got, first)
	}
}
