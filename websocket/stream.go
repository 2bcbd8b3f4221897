package websocket

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/bellwire/bellwire/internal/deadline"
	"github.com/bellwire/bellwire/internal/safego"
)

// streamBytes is how much of a stream is read ahead of its reader; flow control holds back the rest.
const streamBytes = 4 << 10

// pumps are the goroutines that read streams. Each is waited for by its stream.
var pumps safego.Group

var errStreamEnded = errors.New("the stream of HTTP/2 has ended")

// stream is a line made of one stream of HTTP/2: the request's body and the response. A deadline of net/http would end
// the stream where that of a socket ends one operation, so reads go through a goroutine that can be waited for.
//
// It is clean to end it by Close, after which the handler returns and net/http ends the stream (RFC 8441 5). Where
// a write has to be given up net/http resets the stream, with INTERNAL_ERROR since it cannot be told CANCEL.
type stream struct {
	// Immutable.
	request *http.Request
	writer  http.ResponseWriter
	control *http.ResponseController
	remote  net.Addr
	local   net.Addr
	forget  func() bool   // stops the watch of the request's context
	ready   chan struct{} // holds one when chunk or failed was set
	taken   chan struct{} // holds one when chunk was read
	closing chan struct{} // closed by Close
	pumped  chan struct{} // closed when the goroutine that reads has ended

	readLimit deadline.Deadline

	writeMu sync.Mutex // held while the response is written; before mu

	mu sync.Mutex // guards all below; a call of control under it takes no time
	// chunk is what was read and not yet taken; the goroutine reads on when it is empty.
	chunk      []byte
	failed     error // why nothing more comes
	ended      bool  // by Close
	gone       bool  // net/http has ended the stream: control must not be used
	writing    bool
	expired    bool // the deadline has ended a write
	writeBy    time.Time
	writeTimer *time.Timer // nil until the first write with a deadline
}

// openStream answers an extended CONNECT that was checked.
func openStream(w http.ResponseWriter, r *http.Request) (*stream, error) {
	control := http.NewResponseController(w)
	// The deadlines of requests are none of a stream's.
	err := errors.Join(control.SetReadDeadline(time.Time{}), control.SetWriteDeadline(time.Time{}))
	if err == nil {
		w.WriteHeader(http.StatusOK)
		err = control.Flush()
	}
	if err != nil {
		return nil, &HandshakeError{Reason: "writing the response", Err: err}
	}
	s := &stream{
		request: r, writer: w, control: control, remote: parseAddr(r.RemoteAddr), local: &net.TCPAddr{},
		ready: make(chan struct{}, 1), taken: make(chan struct{}, 1), closing: make(chan struct{}), pumped: make(chan struct{}),
	}
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		s.local = local
	}
	s.forget = context.AfterFunc(r.Context(), s.lose)
	pumps.Go("stream of HTTP/2", s.pump, func() { close(s.pumped) })
	return s, nil
}

func parseAddr(s string) net.Addr {
	address, err := netip.ParseAddrPort(s)
	if err != nil {
		return &net.TCPAddr{}
	}
	return net.TCPAddrFromAddrPort(address)
}

// pump reads the body until it ends.
func (s *stream) pump() {
	buf := make([]byte, streamBytes)
	for {
		n, err := s.request.Body.Read(buf)
		if n == 0 && err == nil {
			continue
		}
		s.mu.Lock()
		s.chunk, s.failed = buf[:n], err
		s.mu.Unlock()
		select {
		case s.ready <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
		select {
		case <-s.taken:
		case <-s.closing:
			return
		}
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
		if n, err := s.take(p); n > 0 || err != nil {
			return n, err
		}
		select {
		case <-s.ready:
		case <-s.closing:
		case <-expired:
		}
	}
}

// take reads what has come, without waiting.
func (s *stream) take(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ended:
		return 0, net.ErrClosed
	case len(s.chunk) > 0:
		n := copy(p, s.chunk)
		if s.chunk = s.chunk[n:]; len(s.chunk) == 0 && s.failed == nil {
			s.taken <- struct{}{}
		}
		return n, nil
	}
	return 0, s.failed
}

// Write implements net.Conn. It sends at once.
func (s *stream) Write(p []byte) (int, error) {
	s.writeMu.Lock()
	defer s.writeMu.Unlock()
	if err := s.beginWrite(); err != nil {
		return 0, err
	}
	n, err := s.writer.Write(p)
	if err == nil {
		err = s.control.Flush()
	}
	if s.endWrite() {
		err = os.ErrDeadlineExceeded
	}
	return n, err
}

func (s *stream) beginWrite() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ended:
		return net.ErrClosed
	case s.gone:
		return errStreamEnded
	case s.expired:
		return os.ErrDeadlineExceeded
	}
	s.writing = true
	s.armLocked()
	return nil
}

// endWrite reports whether the deadline has ended the write.
func (s *stream) endWrite() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writing = false
	if s.writeTimer != nil {
		s.writeTimer.Stop()
	}
	return s.expired
}

// armLocked lets the write that goes on end at its deadline.
func (s *stream) armLocked() {
	if s.writeBy.IsZero() {
		if s.writeTimer != nil {
			s.writeTimer.Stop()
		}
		return
	}
	left := time.Until(s.writeBy)
	switch {
	case left <= 0:
		s.expired = true
		s.resetLocked()
	case s.writeTimer == nil:
		s.writeTimer = time.AfterFunc(left, s.expire)
	default:
		s.writeTimer.Reset(left)
	}
}

// expire is called by the timer.
func (s *stream) expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writing && !s.writeBy.IsZero() && time.Until(s.writeBy) <= 0 {
		s.expired = true
		s.resetLocked()
	}
}

// resetLocked makes a write that goes on return, by ending the stream.
func (s *stream) resetLocked() {
	if !s.gone {
		s.control.SetWriteDeadline(longAgo)
	}
}

// Close implements net.Conn. It does not wait for a write that goes on; wait does.
func (s *stream) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil
	}
	s.ended = true
	close(s.closing)
	if s.gone || s.request.Context().Err() != nil {
		return nil // net/http ends the read of the body, and what is being written
	}
	if s.writing {
		s.resetLocked()
	}
	return s.control.SetReadDeadline(longAgo) // ends the read of the body
}

// lose is called when net/http has ended the stream. What has come before can still be read.
func (s *stream) lose() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = true
}

// wait returns when request and response are used no more. The stream must have been closed.
func (s *stream) wait() {
	<-s.pumped
	s.writeMu.Lock()
	defer s.writeMu.Unlock()
	s.forget()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = true
}

func (s *stream) LocalAddr() net.Addr  { return s.local }
func (s *stream) RemoteAddr() net.Addr { return s.remote }

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
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writeBy = t
	if s.writing && !s.ended {
		s.armLocked()
	}
	return nil
}
