package reactor

import (
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/seed"
)

// TestWheelFindsEachLineInTime holds the wheel against a map of instants.
func TestWheelFindsEachLineInTime(t *testing.T) {
	random := seed.Rand(t)
	var lines table
	var w wheel
	now := time.Duration(random.Int64N(int64(time.Hour)))
	w.init(now)
	due := make(map[*line]time.Duration)
	var all []*line
	for range 2 * pageLines {
		all = append(all, lines.take())
	}
	for range 20000 {
		c := all[random.IntN(len(all))]
		switch random.IntN(8) {
		case 0:
			w.remove(&lines, c)
			delete(due, c)
		case 1:
			now += time.Duration(random.Int64N(int64(3 * tick)))
			if random.IntN(200) == 0 {
				now += wheelTicks * tick * 3
			}
			for c := w.advance(&lines, now); c != nil; c = w.advance(&lines, now) {
				if _, ok := due[c]; !ok {
					t.Fatalf("a line that is not in the wheel came out")
				}
				if due[c] > now+tick {
					t.Fatalf("due at %v and came at %v", due[c], now)
				}
				delete(due, c)
			}
			for _, at := range due {
				if at < now-tick {
					t.Fatalf("due at %v and not there at %v", at, now)
				}
			}
		default:
			at := now + 1 + time.Duration(random.Int64N(int64(wheelTicks*tick*5/4)))
			w.put(&lines, c, at)
			at = min(at, now+(wheelTicks-1)*tick) // it only reaches so far
			if earlier, ok := due[c]; !ok || at < earlier {
				due[c] = at
			}
		}
		first, ok := w.deadline()
		if ok != (len(due) > 0) {
			t.Fatalf("%d lines are due, and deadline says %t", len(due), ok)
		}
		for _, at := range due {
			if first > at+2*tick {
				t.Fatalf("the first is due at %v, and deadline says %v", at, first)
			}
		}
	}
}

func TestTableForgetsWhatIsGone(t *testing.T) {
	var lines table
	c := lines.take()
	c.state = open
	slot, generation := c.slot, c.generation
	if lines.find(slot, generation) != c || lines.find(slot, generation+1) != nil || lines.find(1<<31, 1) != nil {
		t.Fatal("found what is not there, or did not find what is")
	}
	lines.giveBack(c)
	if lines.find(slot, generation) != nil {
		t.Fatal("found what is gone")
	}
	if again := lines.take(); again.slot != slot || again.generation == generation {
		t.Fatalf("slot %d, generation %d after %d, %d", again.slot, again.generation, slot, generation)
	}
}
