package loadgen

import (
	"context"
	"slices"
	"testing"

	"github.com/bellwire/bellwire/protocol/native/wire"
)

func TestFollower(t *testing.T) {
	for _, test := range []struct {
		rule             string
		deliveries       []delivery
		lost, duplicates uint64
		fresh            int
	}{
		{"one after the other", []delivery{{offset: 11, prev: 10}, {offset: 12, prev: 11}}, 0, 0, 2},
		{"one is missing", []delivery{{offset: 12, prev: 11}}, 1, 0, 1},
		{"three are missing", []delivery{{offset: 11, prev: 10}, {offset: 15, prev: 14}}, 3, 0, 2},
		{"POS-2: offsets that are no publications are no gap", []delivery{{offset: 15, prev: 10}}, 0, 0, 1},
		{"the same twice", []delivery{{offset: 11, prev: 10}, {offset: 11, prev: 10}}, 0, 1, 1},
		{"from before the subscription", []delivery{{offset: 10, prev: 9}}, 0, 1, 0},
		{"without positions nothing can be said", []delivery{{}, {}}, 0, 0, 2},
	} {
		f := follower{last: 10}
		fresh := 0
		for _, d := range test.deliveries {
			if f.follow(d) {
				fresh++
			}
		}
		if f.lost != test.lost || f.duplicates != test.duplicates || fresh != test.fresh {
			t.Errorf("%s: lost %d, twice %d, new %d", test.rule, f.lost, f.duplicates, fresh)
		}
	}
}

const (
	first  = `{"publication":{"channel":"bench:x","offset":7,"data":{"at":1000000000000000042}}}` + "\n"
	second = `{"publication":{"channel":"bench:x","offset":9,"prev":7,"data":"of somebody else"}}` + "\n"
)

func TestDeliveries(t *testing.T) {
	a := delivery{offset: 7, prev: 6, at: 42, stamped: true}
	b := delivery{offset: 9, prev: 7}
	for _, test := range []struct {
		rule    string
		message string
		want    []delivery
		ok      bool
	}{
		{"one", first, []delivery{a}, true},
		{"one that is not ours", second, []delivery{b}, true},
		{"several in a message", first + second, []delivery{a, b}, true},
		{"none", "", nil, true},
		{"a reply among them", first + `{"id":3,"publish":{"offset":7}}` + "\n", nil, false},
		{"no protocol", "?\n", nil, false},
	} {
		m := newMemo()
		for _, time := range []string{"decoded", "remembered"} {
			got, ok := m.deliveries(wire.JSON, []byte(test.message))
			if ok != test.ok || !slices.Equal(got, test.want) {
				t.Errorf("%s, %s: %v, %v", test.rule, time, got, ok)
			}
		}
	}
}

func TestTheMemoKeepsNothingOfItsInput(t *testing.T) {
	m := newMemo()
	message := []byte(first)
	if _, ok := m.deliveries(wire.JSON, message); !ok {
		t.Fatal("not taken")
	}
	copy(message, second)
	if got, _ := m.deliveries(wire.JSON, []byte(first)); len(got) != 1 || got[0].offset != 7 {
		t.Errorf("%v", got)
	}
}

func TestMissing(t *testing.T) {
	for _, test := range []struct {
		rule                        string
		top, published              uint64
		received, newest, wantCount uint64
	}{
		{"everything came", 20, 10, 10, 20, 0},
		{"the last three did not", 20, 10, 7, 17, 3},
		{"more came than was answered", 20, 10, 11, 21, 0},
		{"without positions by number", 0, 10, 8, 0, 2},
		{"without positions, more than was answered", 0, 10, 11, 0, 0},
	} {
		c := &channel{}
		c.top.Store(test.top)
		c.published.Store(test.published)
		if got := c.missing(test.received, test.newest); got != test.wantCount {
			t.Errorf("%s: %d, want %d", test.rule, got, test.wantCount)
		}
	}
}

func TestChannelsAreSpreadAndNobodyElses(t *testing.T) {
	a, b := makeChannels("bench:", 2), makeChannels("bench:", 2)
	of := spread(a)
	if of(0) != a[0] || of(1) != a[1] || of(2) != a[0] {
		t.Error("not in turn")
	}
	if a[0].name == b[0].name || a[0].name == a[1].name {
		t.Error("a name was given twice")
	}
	a[0].answered(7)
	a[0].answered(5)
	if a[0].top.Load() != 7 || a[0].published.Load() != 2 {
		t.Errorf("top %d of %d", a[0].top.Load(), a[0].published.Load())
	}
}

func TestWhatIsMissingIsLostOrCutOff(t *testing.T) {
	c := &channel{}
	c.top.Store(20)
	whole, lacking, ended := &line{channel: c}, &line{channel: c}, &line{channel: c}
	whole.newest.Store(20)
	lacking.newest.Store(18)
	ended.newest.Store(15)
	ended.ended.Store(true)
	for _, test := range []struct {
		rule         string
		lines        []*line
		lost, cutOff uint64
	}{
		{"nothing is missing", []*line{whole}, 0, 0},
		{"a line that lives has lost", []*line{whole, lacking}, 2, 0},
		{"a line that ended was cut off", []*line{whole, ended}, 0, 5},
	} {
		g := Generator{}
		r := newRun(g.target, g.pace)
		r.lines = test.lines
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // nothing more will come: do not wait for it
		r.settle(ctx, len(test.lines))
		if r.lost.Load() != test.lost || r.cutOff.Load() != test.cutOff {
			t.Errorf("%s: %d lost, %d cut off", test.rule, r.lost.Load(), r.cutOff.Load())
		}
	}
}
