package websockettest

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// Lines returns the two ends of a line in memory. Each direction buffers up to
// size bytes, 0 meaning 64 KiB, so that both ends may write before either reads.
// The ends can close one direction (CloseWrite), like those of TCP.
func Lines(size int) (a, b *Line) {
	if size == 0 {
		size = 64 << 10
	}
	there, back := newStream(size), newStream(size)
	return &Line{in: back, out: there, name: "a"}, &Line{in: there, out: back, name: "b"}
}

// Line is one end of a line in memory. It is safe for concurrent use.
type Line struct {
	in, out                     *stream
	readDeadline, writeDeadline deadline
	name                        string
}

// Read implements net.Conn.
func (l *Line) Read(p []byte) (int, error) { return l.in.read(p, &l.readDeadline) }

// Write implements net.Conn.
func (l *Line) Write(p []byte) (int, error) { return l.out.write(p, &l.writeDeadline) }

// CloseWrite ends what the other end reads, after what was written.
func (l *Line) CloseWrite() error {
	l.out.end(io.EOF)
	return nil
}

// Close ends both directions. What the other end has not read yet it can still read.
func (l *Line) Close() error {
	l.out.end(io.EOF)
	l.in.abandon(net.ErrClosed)
	l.out.refuse(net.ErrClosed)
	return nil
}

// Reset ends both directions with an error at both ends, and drops what is under way.
func (l *Line) Reset() {
	for _, s := range []*stream{l.in, l.out} {
		s.abandon(ErrReset)
		s.refuse(ErrReset)
	}
}

// LocalAddr implements net.Conn.
func (l *Line) LocalAddr() net.Addr { return memoryAddr(l.name) }

// RemoteAddr implements net.Conn.
func (l *Line) RemoteAddr() net.Addr {
	return memoryAddr(map[string]string{"a": "b", "b": "a"}[l.name])
}

// SetDeadline implements net.Conn.
func (l *Line) SetDeadline(t time.Time) error {
	l.readDeadline.set(t)
	l.writeDeadline.set(t)
	return nil
}

// SetReadDeadline implements net.Conn.
func (l *Line) SetReadDeadline(t time.Time) error {
	l.readDeadline.set(t)
	return nil
}

// SetWriteDeadline implements net.Conn.
func (l *Line) SetWriteDeadline(t time.Time) error {
	l.writeDeadline.set(t)
	return nil
}

// ErrReset is what both ends of a line get after Reset.
var ErrReset error = resetError{}

type resetError struct{}

func (resetError) Error() string { return "websockettest: line reset by peer" }

type memoryAddr string

func (memoryAddr) Network() string  { return "memory" }
func (a memoryAddr) String() string { return string(a) }

// stream is one direction of a line.
type stream struct {
	size int

	mu       sync.Mutex
	buffer   []byte
	readErr  error         // for readers once the buffer is empty
	writeErr error         // for writers
	changed  chan struct{} // closed and replaced at each change
}

func newStream(size int) *stream {
	return &stream{size: size, changed: make(chan struct{})}
}

func (s *stream) changedLocked() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *stream) read(p []byte, d *deadline) (int, error) {
	for {
		s.mu.Lock()
		expired := d.expired()
		if isClosed(expired) {
			s.mu.Unlock()
			return 0, os.ErrDeadlineExceeded
		}
		if n := copy(p, s.buffer); n > 0 || len(p) == 0 {
			s.buffer = s.buffer[n:]
			s.changedLocked()
			s.mu.Unlock()
			return n, nil
		}
		if err := s.readErr; err != nil {
			s.mu.Unlock()
			return 0, err
		}
		changed := s.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-expired:
		}
	}
}

func (s *stream) write(p []byte, d *deadline) (written int, _ error) {
	for {
		s.mu.Lock()
		expired, err := d.expired(), s.writeErr
		if err == nil && isClosed(expired) {
			err = os.ErrDeadlineExceeded
		}
		if err != nil {
			s.mu.Unlock()
			return written, err
		}
		if n := min(len(p), s.size-len(s.buffer)); n > 0 {
			s.buffer = append(s.buffer, p[:n]...)
			p, written = p[n:], written+n
			s.changedLocked()
		}
		changed := s.changed
		s.mu.Unlock()
		if len(p) == 0 {
			return written, nil
		}
		select {
		case <-changed:
		case <-expired:
		}
	}
}

// end lets readers see an end once they have read what is there.
func (s *stream) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.readErr == nil {
		s.readErr = err
	}
	if s.writeErr == nil {
		s.writeErr = net.ErrClosed
	}
	s.changedLocked()
}

// abandon drops what is there and lets readers fail; writers find nobody there.
func (s *stream) abandon(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buffer = nil
	s.readErr = err
	if s.writeErr == nil {
		s.writeErr = ErrReset
	}
	s.changedLocked()
}

// refuse lets writers fail.
func (s *stream) refuse(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writeErr = err
	s.changedLocked()
}

// deadline is a channel that closes at an instant.
type deadline struct {
	mu      sync.Mutex
	channel chan struct{}
	timer   *time.Timer
	setting int // which setting the channel belongs to; timers of earlier ones do nothing
}

func (d *deadline) expired() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.currentLocked()
}

func (d *deadline) currentLocked() chan struct{} {
	if d.channel == nil {
		d.channel = make(chan struct{})
	}
	return d.channel
}

func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.setting++
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	if isClosed(d.currentLocked()) {
		d.channel = make(chan struct{})
	}
	if t.IsZero() {
		return
	}
	wait := time.Until(t)
	if wait <= 0 {
		close(d.channel)
		return
	}
	setting := d.setting
	d.timer = time.AfterFunc(wait, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.setting == setting {
			close(d.channel)
		}
	})
}

func isClosed(channel <-chan struct{}) bool {
	select {
	case <-channel:
		return true
	default:
		return false
	}
}
