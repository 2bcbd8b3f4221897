package transport

import "sync"

const (
	bufferBytes    = 4 << 10
	bufferBytesMax = 256 << 10 // larger ones are left to the garbage collector
)

// buffers are lent while a message is read or joined: a line at rest holds none.
var buffers = sync.Pool{New: func() any {
	b := make([]byte, 0, bufferBytes)
	return &b
}}

func takeBuffer() *[]byte { return buffers.Get().(*[]byte) }

func giveBuffer(b *[]byte) {
	if cap(*b) > bufferBytesMax {
		return
	}
	*b = (*b)[:0]
	buffers.Put(b)
}
