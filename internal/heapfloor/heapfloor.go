package heapfloor

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// percentDefault is Go's own, and the least there is with a floor.
const percentDefault = 100

// Keep lets the heap of the process grow to about floor bytes before it is collected, from the first collection on, until the
// function that it returns is called. It sets what the environment variable GOGC sets, and should not be used where that is set.
func Keep(floor uint64) (stop func()) {
	k := &keeper{floor: floor, percent: percentDefault}
	k.watch()
	return k.stop
}

type keeper struct {
	floor uint64 // immutable

	mu sync.Mutex
	// Guarded by mu.
	percent int
	stopped bool
}

// watch has adjust called after the next collection, which finds that nobody holds what was made here.
func (k *keeper) watch() {
	runtime.AddCleanup(new(sentinel), func(k *keeper) { k.adjust() }, k)
}

// sentinel is larger than what the allocator puts together with other things.
type sentinel struct{ _ [64]byte }

// adjust sets the percentage for the live heap that the collection has found.
func (k *keeper) adjust() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.stopped {
		return
	}
	// Each change stops the world for a moment, and so small ones are left.
	if percent := percentFor(live(), k.floor); percent > k.percent+k.percent/8 || percent < k.percent-k.percent/8 {
		k.percent = percent
		debug.SetGCPercent(percent)
	}
	k.watch()
}

func (k *keeper) stop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.stopped {
		k.stopped = true
		debug.SetGCPercent(percentDefault)
	}
}

// percentFor returns by how many parts in a hundred a heap may grow to reach the floor.
func percentFor(live, floor uint64) int {
	if live >= floor/2 {
		return percentDefault
	}
	return int((floor - live) * 100 / max(live, floor/growthMax, 1))
}

// growthMax is to how many times what is in use a heap may grow, where hardly anything is.
const growthMax = 100

// live returns the bytes that the last collection has left.
func live() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
