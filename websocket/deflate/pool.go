package deflate

import (
	"compress/flate"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
)

// Pool bounds the compressors in use.
type Pool struct {
	// Immutable after NewPool.
	writersMax int32 // in use for one message
	keptMax    int32 // kept by connections with context takeover

	writers  sync.Pool
	inUse    atomic.Int32
	kept     atomic.Int32
	inflates sync.Pool
}

// NewPool makes a pool of at most writers compressors in use at once, and at
// most kept more that stay with a connection for context takeover. Zero means the
// default: four a processor, and 64.
func NewPool(writers, kept int) *Pool {
	if writers == 0 {
		writers = 4 * runtime.GOMAXPROCS(0)
	}
	if kept == 0 {
		kept = 64
	}
	return &Pool{writersMax: int32(writers), keptMax: int32(kept)}
}

// acquire returns a fresh compressor, or nil where the bound is reached.
func (p *Pool) acquire() *writer {
	return p.acquireCounted(&p.inUse, p.writersMax)
}

// acquireKept is acquire for a connection that keeps it.
func (p *Pool) acquireKept() *writer {
	return p.acquireCounted(&p.kept, p.keptMax)
}

func (p *Pool) acquireCounted(count *atomic.Int32, max int32) *writer {
	if count.Add(1) > max {
		count.Add(-1)
		return nil
	}
	if w, ok := p.writers.Get().(*writer); ok {
		w.reset()
		return w
	}
	return newWriter()
}

func (p *Pool) release(w *writer) {
	p.inUse.Add(-1)
	p.writers.Put(w)
}

func (p *Pool) releaseKept(w *writer) {
	p.kept.Add(-1)
	p.writers.Put(w)
}

// level is that of the compressor: on the short messages of a live line the
// better ones cost several times the time for a few percent.
const level = flate.BestSpeed

// writer is a compressor that appends to out.
type writer struct {
	flate *flate.Writer
	out   []byte // set during a call only
	since int    // bytes compressed since it was started afresh
}

func newWriter() *writer {
	w := new(writer)
	w.flate, _ = flate.NewWriter(w, level) // fails on an unknown level only
	return w
}

// Write takes what the compressor puts out.
func (w *writer) Write(b []byte) (int, error) {
	w.out = append(w.out, b...)
	return len(b), nil
}

func (w *writer) reset() {
	w.flate.Reset(w)
	w.since = 0
}

// compress takes input, so that no distance in the output is above 2^bits.
// Neither call of the compressor can fail, since Write does not.
func (w *writer) compress(payload []byte, bits int) {
	if bits == windowBitsMax {
		w.flate.Write(payload)
		return
	}
	for len(payload) > 0 {
		if w.since == 1<<bits {
			w.flate.Flush()
			w.reset()
		}
		n := min(len(payload), 1<<bits-w.since)
		w.flate.Write(payload[:n])
		w.since += n
		payload = payload[n:]
	}
}

// flushBytes ends what Flush puts out: an empty block without compression.
// RFC 7692 7.2.1: it is removed from the end of a message.
const flushBytes = "\x00\x00\xff\xff"

// finish ends a message and returns all that came out.
func (w *writer) finish() []byte {
	w.flate.Flush()
	out := w.out
	w.out = nil
	return out[:len(out)-len(flushBytes)]
}

// inflater is a decompressor with its source.
type inflater struct {
	source  source
	flate   io.ReadCloser
	blocks  int  // runs of blocks begun, of the message
	inBlock bool // the last of them has not ended
}

func (p *Pool) inflater() *inflater {
	if f, ok := p.inflates.Get().(*inflater); ok {
		return f
	}
	f := new(inflater)
	f.flate = flate.NewReader(&f.source)
	return f
}

func (p *Pool) releaseInflater(f *inflater) {
	f.source = source{}
	p.inflates.Put(f)
}
