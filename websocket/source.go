package websocket

import (
	"net"
	"sync"
)

// readBytes is how much is read at once.
const readBytes = 16 << 10

var readBuffers = sync.Pool{New: func() any { return new([readBytes]byte) }}

// source reads from a line into pooled memory, which it holds only while there is
// something in it: where the line allows it, a reader waits without a buffer.
type source struct {
	line   net.Conn
	parked *parkedReader // nil where the line can only be read into memory
	buffer *[readBytes]byte
	first  []byte // came with the handshake, before anything else is read
}

func newSource(line net.Conn, first []byte) source {
	return source{line: line, parked: newParkedReader(line), first: first}
}

// read waits for bytes. They are valid until release or the next read.
func (s *source) read() ([]byte, error) {
	if len(s.first) > 0 {
		first := s.first
		s.first = nil
		return first, nil
	}
	if s.parked != nil {
		return s.parked.read(s)
	}
	n, err := s.line.Read(s.memory())
	return s.buffer[:n], err
}

// memory returns the buffer, which it gets if need be.
func (s *source) memory() []byte {
	if s.buffer == nil {
		s.buffer = readBuffers.Get().(*[readBytes]byte)
	}
	return s.buffer[:]
}

// release gives the buffer back.
func (s *source) release() {
	if s.buffer == nil {
		return
	}
	poison(s.buffer[:])
	readBuffers.Put(s.buffer)
	s.buffer = nil
}
