package transport

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/bellwire/bellwire/protocol/sse"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/node"
	"github.com/bellwire/bellwire/realtime/session"
)

// eventStream is an event line that the goroutine of its request serves: in TLS, over HTTP/2, and on systems without a reactor.
type eventStream struct {
	// Immutable after serve has opened it.
	transport  *WebSocket
	response   http.ResponseWriter
	control    *http.ResponseController
	connection *node.Connection
	opened     chan struct{} // closed when connection is set
	slot       *Slot

	end chan struct{} // closed when the line is to end

	endMu sync.Mutex
	// Guarded by endMu.
	ending  bool
	writing bool

	mu sync.Mutex // held while something is written
	// Guarded by mu.
	prelude   *prelude // nil: the answer has begun
	positions *sse.Positions
	over      bool // the handler returns: nothing may be written any more
}

var _ session.Transport = (*eventStream)(nil)

var errStreamOver = errors.New("the stream has ended")

// serve serves the line until it ends.
func (e *Events) serve(w http.ResponseWriter, r *http.Request, asked *eventRequest, slot *Slot) {
	defer slot.Release()
	s := &eventStream{
		transport: e.lines, response: w, control: http.NewResponseController(w), slot: slot,
		opened: make(chan struct{}), end: make(chan struct{}),
		prelude: &prelude{header: w.Header(), wants: asked.wants}, positions: asked.positions(),
	}
	_ = s.control.SetReadDeadline(time.Time{}) // that of the request's body would end the line; HTTP/2 has its own
	connection, err := e.lines.config.Node.Open(s, e.protocol, asked.hello)
	if err != nil {
		e.later(w, r, e.full(err))
		return
	}
	setEventHeader(w.Header(), r)
	s.connection = connection
	close(s.opened)
	if asked.first != nil {
		_ = connection.Receive(asked.first, false)
	}
	cause := s.live(r, e.interval)
	s.finish()
	connection.Closed(cause)
}

// live keeps the line alive until either side ends it.
func (s *eventStream) live(r *http.Request, interval time.Duration) (cause error) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-r.Context().Done(): // as an EventSource closes
			return nil
		case <-s.end:
			return nil
		case <-ticker.C:
			if err := s.keepAlive(); err != nil {
				return err
			}
		}
	}
}

func (s *eventStream) Name() string { return "sse" }

// Write implements session.Transport. The first write decides how the answer begins.
func (s *eventStream) Write(messages [][]byte) error {
	<-s.opened
	s.slot.Release()
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.prelude; p != nil && !s.over {
		if p.begins(s.connection, messages) != http.StatusOK {
			s.hangUp()
			return nil
		}
		s.prelude = nil
	}
	buffer := takeBuffer()
	defer giveBuffer(buffer)
	for _, m := range messages {
		*buffer = appendEvent(*buffer, m, s.positions)
	}
	return s.sendLocked(*buffer)
}

func (s *eventStream) keepAlive() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.prelude != nil {
		return nil // not yet
	}
	return s.sendLocked(keepAlive)
}

// streamWriteBytes are written within a write timeout: a slow and steady client is kept.
const streamWriteBytes = 16 << 10

func (s *eventStream) sendLocked(b []byte) error {
	if s.over {
		return errStreamOver
	}
	for len(b) > 0 {
		n := min(len(b), streamWriteBytes)
		if err := s.write(b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

func (s *eventStream) write(b []byte) error {
	if !s.beginWrite() {
		return errStreamOver
	}
	defer s.endWrite()
	if _, err := s.response.Write(b); err != nil {
		return err
	}
	return s.control.Flush()
}

func (s *eventStream) beginWrite() bool {
	s.endMu.Lock()
	defer s.endMu.Unlock()
	if s.ending {
		return false
	}
	s.writing = true
	_ = s.control.SetWriteDeadline(time.Now().Add(s.transport.config.WriteTimeout)) // where it fails, writing does too
	return true
}

func (s *eventStream) endWrite() {
	s.endMu.Lock()
	defer s.endMu.Unlock()
	s.writing = false
}

// Close implements session.Transport. What is being written is cut off.
func (s *eventStream) Close(realtime.Code, string) { s.hangUp() }

func (s *eventStream) hangUp() {
	s.endMu.Lock()
	defer s.endMu.Unlock()
	if s.ending {
		return
	}
	s.ending = true
	if s.writing {
		_ = s.control.SetWriteDeadline(time.Now())
	}
	close(s.end)
}

// finish answers with a refusal where nothing has been said yet. Nothing is written after it.
func (s *eventStream) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	_ = s.control.SetWriteDeadline(time.Now().Add(s.transport.config.CloseTimeout))
	p := s.prelude
	if p == nil {
		return
	}
	status, body := p.endsUnsaid(s.transport.config.Node, s.connection)
	s.transport.config.Metrics.Refused(status)
	s.response.WriteHeader(status)
	_, _ = s.response.Write([]byte(body))
}
