package http2

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"golang.org/x/net/http2"

	"github.com/bellwire/bellwire/internal/deadline"
)

var errUnwanted = errors.New("the server reads no more")

var errHead = errors.New("the head of the answer is malformed or too large")

// stream is one stream as a net.Conn. One goroutine at a time may read, and one may write.
type stream struct {
	// Immutable.
	carrier  *carrier
	id       uint32
	answered chan struct{} // closed when response is set
	readable chan struct{} // holds one when reading may go on
	writable chan struct{} // holds one when writing may go on
	over     chan struct{} // closed when nothing more comes or goes

	readLimit, writeLimit deadline.Deadline

	// Guarded by the carrier's mu.

	response   *http.Response
	unread     []byte
	readErr    error // after what is unread
	receivable int64 // what the server may still send
	owed       int64 // of it, read and not yet given back
	window     int64 // what the server still takes
	sentEnd    bool  // this side's half has ended
	writeErr   error // why it has, where it was not by CloseWrite
	unwanted   bool  // the server reads no more, and has ended its half in order
	isOver     bool
	closed     bool // by Close
}

func newStream(c *carrier, id uint32, window int64) *stream {
	return &stream{
		carrier: c, id: id, window: window, receivable: windowBytes, answered: make(chan struct{}),
		readable: make(chan struct{}, 1), writable: make(chan struct{}, 1), over: make(chan struct{}),
	}
}

// answer waits for the head of the answer.
func (s *stream) answer(ctx context.Context) (*http.Response, error) {
	select {
	case <-s.answered:
	case <-s.over:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	s.carrier.mu.Lock()
	defer s.carrier.mu.Unlock()
	if s.response == nil {
		return nil, s.readErr
	}
	return s.response, nil
}

// wakeLocked lets those look again who wait.
func (s *stream) wakeLocked() {
	for _, c := range []chan struct{}{s.readable, s.writable} {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// endLocked ends both halves at once.
func (s *stream) endLocked(err error) {
	if s.readErr == nil {
		s.readErr = err
	}
	if !s.sentEnd {
		s.writeErr = err
	}
	s.sentEnd = true
	s.finishLocked()
}

// endReadLocked ends the server's half.
func (s *stream) endReadLocked(err error) {
	s.readErr = err
	s.finishLocked()
}

// endWriteLocked ends this side's half.
func (s *stream) endWriteLocked() {
	s.sentEnd = true
	s.finishLocked()
}

func (s *stream) finishLocked() {
	s.wakeLocked()
	if s.readErr != nil && s.sentEnd && !s.isOver {
		s.isOver = true
		close(s.over)
		delete(s.carrier.streams, s.id)
	}
}

// Read implements net.Conn.
func (s *stream) Read(p []byte) (int, error) {
	for {
		expired := s.readLimit.Passed()
		select {
		case <-expired:
			return 0, os.ErrDeadlineExceeded
		default:
		}
		n, giveBack, err := s.take(p)
		if giveBack > 0 {
			_ = s.carrier.write(func() error { // the next read finds out when it fails
				return s.carrier.framer.WriteWindowUpdate(s.id, uint32(giveBack))
			})
		}
		if n > 0 || err != nil {
			return n, err
		}
		select {
		case <-s.readable:
		case <-expired:
		}
	}
}

// take reads what has come, without waiting. giveBack is how much the server may send again.
func (s *stream) take(p []byte) (n int, giveBack int64, err error) {
	s.carrier.mu.Lock()
	defer s.carrier.mu.Unlock()
	if s.closed {
		return 0, 0, net.ErrClosed
	}
	if len(s.unread) == 0 {
		return 0, 0, s.readErr
	}
	n = copy(p, s.unread)
	if s.unread = s.unread[n:]; len(s.unread) == 0 {
		s.unread = nil // an idle stream holds nothing
	}
	if s.owed += int64(n); s.owed >= windowBytes/2 && s.readErr == nil {
		giveBack, s.owed = s.owed, 0
		s.receivable += giveBack
	}
	return n, giveBack, nil
}

// Write implements net.Conn.
func (s *stream) Write(p []byte) (int, error) {
	written := 0
	for written < len(p) {
		expired := s.writeLimit.Passed()
		select {
		case <-expired:
			return written, os.ErrDeadlineExceeded
		default:
		}
		n, err := s.room(len(p) - written)
		if err == errUnwanted {
			return len(p), nil // as TCP takes what its peer will not read any more
		}
		if err != nil {
			return written, err
		}
		if n > 0 {
			piece := p[written : written+n]
			if err := s.carrier.write(func() error { return s.carrier.framer.WriteData(s.id, false, piece) }); err != nil {
				return written, err
			}
			written += n
			continue
		}
		select {
		case <-s.writable:
		case <-expired:
		}
	}
	return written, nil
}

// room takes from the windows what of want can be sent in a frame; 0 when nothing can.
func (s *stream) room(want int) (int, error) {
	c := s.carrier
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case s.closed:
		return 0, net.ErrClosed
	case s.writeErr != nil:
		return 0, s.writeErr
	case s.unwanted:
		return 0, errUnwanted
	case s.sentEnd:
		return 0, io.ErrClosedPipe
	}
	n := max(min(int64(want), frameBytesMax, s.window, c.window), 0)
	s.window -= n
	c.window -= n
	return int(n), nil
}

// CloseWrite ends this side's half of the stream, which is what the end of a TCP connection is to HTTP/2 (RFC 8441 5).
func (s *stream) CloseWrite() error {
	c := s.carrier
	return c.write(func() error {
		c.mu.Lock()
		already := s.sentEnd
		s.endWriteLocked()
		c.mu.Unlock()
		if already {
			return nil
		}
		return c.framer.WriteData(s.id, true, nil)
	})
}

// Close implements net.Conn. A stream that has not ended is reset, with CANCEL (RFC 8441 5).
func (s *stream) Close() error {
	c := s.carrier
	c.mu.Lock()
	if s.closed {
		c.mu.Unlock()
		return nil
	}
	s.closed = true
	reset := !s.isOver
	s.endLocked(net.ErrClosed)
	s.unread = nil
	c.mu.Unlock()
	var err error
	if reset {
		err = c.write(func() error { return c.framer.WriteRSTStream(s.id, http2.ErrCodeCancel) })
	}
	c.release()
	return err
}

// LocalAddr implements net.Conn: that of the connection.
func (s *stream) LocalAddr() net.Addr { return s.carrier.line.LocalAddr() }

// RemoteAddr implements net.Conn: that of the connection.
func (s *stream) RemoteAddr() net.Addr { return s.carrier.line.RemoteAddr() }

// SetDeadline implements net.Conn.
func (s *stream) SetDeadline(t time.Time) error {
	return errors.Join(s.SetReadDeadline(t), s.SetWriteDeadline(t))
}

// SetReadDeadline implements net.Conn.
func (s *stream) SetReadDeadline(t time.Time) error {
	s.readLimit.Set(t)
	return nil
}

// SetWriteDeadline implements net.Conn.
func (s *stream) SetWriteDeadline(t time.Time) error {
	s.writeLimit.Set(t)
	return nil
}
