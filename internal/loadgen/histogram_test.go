package loadgen

import (
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestBuckets(t *testing.T) {
	for _, test := range []struct {
		rule       string
		value, top uint64
		index      int
	}{
		{"the least", 0, 0, 0},
		{"small values have a bucket each", 127, 127, 127},
		{"then two values share one", 128, 129, 128},
		{"the second of the two", 129, 129, 128},
		{"the last of the first power of two", 255, 255, 191},
		{"four values", 256, 259, 192},
		{"the greatest", 1<<63 - 1, 1<<63 - 1, bucketCount - 1},
	} {
		if got := bucketOf(test.value); got != test.index {
			t.Errorf("%s: %d is in bucket %d, want %d", test.rule, test.value, got, test.index)
		}
		if got := bucketTop(test.index); got != test.top {
			t.Errorf("%s: bucket %d ends at %d, want %d", test.rule, test.index, got, test.top)
		}
	}
}

func TestBucketsAreNarrowAndInOrder(t *testing.T) {
	for index := 1; index < bucketCount; index++ {
		top, below := bucketTop(index), bucketTop(index-1)
		if top <= below || bucketOf(top) != index || bucketOf(below+1) != index {
			t.Fatalf("bucket %d goes from %d to %d", index, below+1, top)
		}
		if width := top - below; width > 1 && width > (below+1)/64 {
			t.Fatalf("bucket %d is %d wide at %d", index, width, below+1)
		}
	}
}

func TestPercentiles(t *testing.T) {
	var h Histogram
	if h.Percentile(50) != 0 || h.Count() != 0 || h.Max() != 0 {
		t.Error("a histogram without entries has some")
	}
	for n := range 100 {
		h.Record(time.Duration(n + 1))
	}
	for _, test := range []struct {
		percent float64
		want    time.Duration
	}{{0, 1}, {1, 1}, {50, 50}, {99, 99}, {99.9, 100}, {100, 100}} {
		if got := h.Percentile(test.percent); got != test.want {
			t.Errorf("%v %%: %d, want %d", test.percent, got, test.want)
		}
	}
	var all Histogram
	all.Record(-5)
	all.Record(1_000_003)
	all.Add(&h)
	if all.Count() != 102 || all.Max() != 1_000_003 || all.Percentile(100) != 1_000_003 || all.Percentile(0) != 0 {
		t.Errorf("together: %d, %d, %d, %d", all.Count(), all.Max(), all.Percentile(100), all.Percentile(0))
	}
}

func TestManyRecordAtOnce(t *testing.T) {
	var h Histogram
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for n := range 1000 {
				h.Record(time.Duration(n))
			}
		})
	}
	group.Wait()
	if h.Count() != 8000 || h.Max() != 999 {
		t.Errorf("%d entries up to %d", h.Count(), h.Max())
	}
}
