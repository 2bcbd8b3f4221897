package loadgen

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"
)

// The buckets of a Histogram: values below subBuckets have one each; from there on every power of two is cut into
// subBuckets/2 buckets of equal width, so that a value is known to 1 part in 64.
const (
	subBucketBits = 7
	subBuckets    = 1 << subBucketBits
	bucketCount   = subBuckets + (63-subBucketBits)*subBuckets/2
)

// Histogram counts durations in nanoseconds. The zero value is ready. Record may be called concurrently; everything else
// sees at least what was recorded before.
type Histogram struct {
	counts [bucketCount]atomic.Uint64
	max    atomic.Int64
}

// Record counts one duration; a negative one counts as 0.
func (h *Histogram) Record(d time.Duration) {
	d = max(d, 0)
	h.counts[bucketOf(uint64(d))].Add(1)
	for {
		known := h.max.Load()
		if int64(d) <= known || h.max.CompareAndSwap(known, int64(d)) {
			return
		}
	}
}

// Add adds what another histogram counted.
func (h *Histogram) Add(other *Histogram) {
	for i := range other.counts {
		if n := other.counts[i].Load(); n > 0 {
			h.counts[i].Add(n)
		}
	}
	h.max.Store(max(h.max.Load(), other.max.Load()))
}

// Count is how many durations were recorded.
func (h *Histogram) Count() uint64 {
	total := uint64(0)
	for i := range h.counts {
		total += h.counts[i].Load()
	}
	return total
}

// Max is the longest duration, exactly.
func (h *Histogram) Max() time.Duration { return time.Duration(h.max.Load()) }

// Percentile is a duration that so many percent of all do not pass: the upper end of the bucket of that one, at most Max.
// Without any it is 0.
func (h *Histogram) Percentile(percent float64) time.Duration {
	rank := uint64(math.Ceil(percent / 100 * float64(h.Count())))
	seen := uint64(0)
	for i := range h.counts {
		if seen += h.counts[i].Load(); seen >= max(rank, 1) {
			return min(time.Duration(bucketTop(i)), h.Max())
		}
	}
	return h.Max()
}

// bucketOf is the index of the bucket of a value below 2^63.
func bucketOf(value uint64) int {
	if value < subBuckets {
		return int(value)
	}
	shift := bits.Len64(value) - subBucketBits
	return subBuckets + (shift-1)*subBuckets/2 + int(value>>shift) - subBuckets/2
}

// bucketTop is the largest value of a bucket.
func bucketTop(index int) uint64 {
	if index < subBuckets {
		return uint64(index)
	}
	index -= subBuckets
	shift := index/(subBuckets/2) + 1
	lowest := uint64(index%(subBuckets/2)+subBuckets/2) << shift
	return lowest + 1<<shift - 1
}
