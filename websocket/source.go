package websocket

import (
	"net"
	"sync"
	"sync/atomic"
)

const (
	// readBytes is how much is read at once.
	readBytes = 16 << 10

	// waitBytes is how much is read at once of a line that is no plain socket, such as one in TLS: it
	// cannot be waited for without a buffer. Where it had as much, the next read is one of readBytes.
	waitBytes = 4 << 10

	// burstBytes is how much is read at once of a plain socket that had more to give
	// than readBytes: a burst of messages is then one read, and with Serve one write.
	burstBytes = 128 << 10

	// burstsMax is how many connections of the process may have a buffer of that
	// size at once, since a peer can make its connection hold one.
	burstsMax = 128
)

// inputs are buffers that lines are read into.
var (
	waitInputs  = sync.Pool{New: func() any { return newInput(waitBytes) }}
	inputs      = sync.Pool{New: func() any { return newInput(readBytes) }}
	largeInputs = sync.Pool{New: func() any { return newInput(burstBytes) }}
	bursts      atomic.Int32 // large inputs in use
)

// input is memory that a line is read into.
type input struct{ bytes []byte }

func newInput(size int) *input { return &input{make([]byte, size)} }

// source reads from a line into pooled memory, which it holds only while there is
// something in it: where the line allows it, a reader waits without a buffer.
type source struct {
	socket socket // of the line, if it is a plain one
	buffer *input
	full   bool // the last read found all that it had room for, of a socket readBytes
}

// read waits for bytes of the line. They are valid until release or the next read.
func (s *source) read(line net.Conn) ([]byte, error) {
	if s.socket.plain() {
		got, err := s.readSocket(line)
		s.full = len(got) >= readBytes
		return got, err
	}
	n, err := line.Read(s.memory())
	s.full = n == len(s.buffer.bytes)
	return s.buffer.bytes[:n], err
}

// memory returns the buffer, which it gets if need be.
func (s *source) memory() []byte {
	if s.buffer == nil {
		s.buffer = s.pool().Get().(*input)
	}
	return s.buffer.bytes
}

// pool returns where the buffer for the next read comes from.
func (s *source) pool() *sync.Pool {
	switch {
	case !s.socket.plain() && !s.full:
		return &waitInputs
	case !s.socket.plain() || !s.full:
		return &inputs
	case bursts.Add(1) <= burstsMax:
		return &largeInputs
	}
	bursts.Add(-1)
	return &inputs
}

// renew makes room for the next read. A buffer of the right size is kept: nearly
// always that read of a socket finds nothing, and gives it back.
func (s *source) renew() {
	if s.buffer != nil && s.fits() {
		poison(s.buffer.bytes)
		return
	}
	s.release()
}

// fits reports whether the buffer is of the size that the next read is to have.
func (s *source) fits() bool {
	if s.socket.plain() {
		return s.large() == s.full
	}
	return (len(s.buffer.bytes) == waitBytes) == !s.full
}

// large reports whether the buffer is a large one.
func (s *source) large() bool { return s.buffer != nil && len(s.buffer.bytes) == burstBytes }

// release gives the buffer back.
func (s *source) release() {
	if s.buffer == nil {
		return
	}
	poison(s.buffer.bytes)
	switch len(s.buffer.bytes) {
	case burstBytes:
		bursts.Add(-1)
		largeInputs.Put(s.buffer)
	case waitBytes:
		waitInputs.Put(s.buffer)
	default:
		inputs.Put(s.buffer)
	}
	s.buffer = nil
}
