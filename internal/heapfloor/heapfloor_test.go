package heapfloor

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestPercentFor(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		live, floor uint64
		want        int
	}{
		{16 * mib, 32 * mib, 100},
		{15 * mib, 32 * mib, 113},
		{8 * mib, 32 * mib, 300},
		{2 * mib, 32 * mib, 1500},
		{32 * mib, 32 * mib, 100},
		{1 << 40, 32 * mib, 100},
		{0, 32 * mib, 10000},
		{1, 32 * mib, 10000},
		{0, 2, 200},
		{0, 0, 100},
	} {
		if got := percentFor(c.live, c.floor); got != c.want {
			t.Errorf("%d of %d: %d percent, want %d", c.live, c.floor, got, c.want)
		}
	}
}

// TestKeep counts the collections of as much garbage with a floor and without.
func TestKeep(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	without := collections()
	stop := Keep(64 << 20)
	defer stop()
	runtime.GC() // the floor holds from a collection on; that its cleanup has run is seen by the second
	for range 100 {
		if runtime.GC(); percent() != 100 {
			break
		}
	}
	if percent() == 100 {
		t.Fatal("nothing was set")
	}
	if with := collections(); with > without/4 {
		t.Errorf("%d collections with a floor, %d without", with, without)
	}
	stop()
	if got := percent(); got != 100 {
		t.Errorf("%d percent after the end", got)
	}
	for range 10 { // the last sentinel changes nothing any more
		runtime.GC()
	}
	if got := percent(); got != 100 {
		t.Errorf("%d percent long after the end", got)
	}
}

func percent() int {
	p := debug.SetGCPercent(100)
	debug.SetGCPercent(p)
	return p
}

var sink []byte

// collections makes 256 MiB of garbage, and returns how often it was collected.
func collections() uint32 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 256 << 10 {
		sink = make([]byte, 1<<10)
	}
	runtime.ReadMemStats(&after)
	return after.NumGC - before.NumGC
}
