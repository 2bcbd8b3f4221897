package endpoint

import (
	"math/bits"
	"sync"
)

// buffer is pooled memory that grows by classes of powers of two.
type buffer struct{ bytes []byte }

// Buffers of 2^classFirst to 2^classLast bytes are pooled; larger ones are left
// to the garbage collector.
const (
	classFirst = 9
	classLast  = 20
)

var buffers [classLast - classFirst + 1]sync.Pool

// newBuffer returns an empty buffer with room for n bytes.
func newBuffer(n int) *buffer {
	class := max(bits.Len(uint(max(n, 1)-1)), classFirst)
	if class > classLast {
		return &buffer{bytes: make([]byte, 0, n)}
	}
	if pooled, ok := buffers[class-classFirst].Get().(*buffer); ok {
		return pooled
	}
	return &buffer{bytes: make([]byte, 0, 1<<class)}
}

// release gives the memory back; nobody may use it afterwards.
func (b *buffer) release() {
	if b != nil {
		b.giveBack()
	}
}

func (b *buffer) giveBack() {
	poison(b.bytes[:cap(b.bytes)])
	size := cap(b.bytes)
	class := bits.Len(uint(size)) - 1
	if size != 1<<class || class < classFirst || class > classLast {
		return
	}
	b.bytes = b.bytes[:0]
	buffers[class-classFirst].Put(b)
}

// append adds to b, which may be nil, and returns the buffer to use from now on.
func (b *buffer) append(chunk []byte) *buffer {
	if b == nil {
		b = newBuffer(len(chunk))
	}
	if need := len(b.bytes) + len(chunk); need > cap(b.bytes) {
		grown := newBuffer(max(need, 2*len(b.bytes)))
		grown.bytes = append(grown.bytes, b.bytes...)
		b.release()
		b = grown
	}
	b.bytes = append(b.bytes, chunk...)
	return b
}
