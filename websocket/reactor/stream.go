package reactor

import (
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/bellwire/bellwire/websocket"
)

// StreamConfig says how streams are served.
type StreamConfig struct {
	// KeepAlive is sent on a stream once an Interval, so that neither side takes the other for gone: a comment, for
	// Server-Sent Events. The interval is at most a minute. 0: nothing is sent, and the system's probes find peers that have gone.
	KeepAlive []byte
	Interval  time.Duration

	// WriteTimeout is how long the peer may take nothing of what waits for it. Default 5 s.
	WriteTimeout time.Duration

	// CloseTimeout is how long the peer may take to close when this side has. Default 5 s.
	CloseTimeout time.Duration
}

// Streams takes over connections whose peers have said all they want to, and listen: the answers of HTTP that last, as those of
// Server-Sent Events. A stream is a line as a WebSocket is, with the same Conn, Turn and limits and one entry in the table of its loop,
// but what is sent on it are bytes, by Turn.Write, Loop.Write, or Loop.Pass of a Loop.Raw. Handler.Message is never called for one:
// a peer that sends something on it, or stops listening, ends it.
type Streams struct {
	reactor  *Reactor
	settings *settings
}

// StreamsOf says how streams are served. Call it once, not for each stream.
func (r *Reactor) StreamsOf(config StreamConfig) *Streams {
	timeout := func(d time.Duration) time.Duration {
		if d <= 0 {
			return writeTimeoutDefault
		}
		return d
	}
	s := &settings{stream: &config, writeTimeout: timeout(config.WriteTimeout)}
	s.config.CloseTimeout = timeout(config.CloseTimeout)
	s.config.PingInterval = -1 // the system probes
	if config.Interval > 0 {
		config.Interval = min(config.Interval, streamIntervalMax)
		s.config.PingInterval = config.Interval
	}
	return &Streams{reactor: r, settings: s}
}

// streamIntervalMax is less than what the wheel looks ahead.
const streamIntervalMax = time.Minute

// ErrUnasked is how a stream ends whose peer has sent something after its request.
var ErrUnasked = errors.New("websocket/reactor: the peer of a stream has sent something on it")

// Take takes the connection of a request over, on which nothing has been answered yet: Handler.Open is where a program
// begins. data is what t.Data gives. The HTTP handler should return at once, and keep nothing.
//
// With ErrTransport and a request over TLS or HTTP/2, and with ErrFull, ErrBusy and websocket.ErrClosed, nothing has been done yet and
// the request can be answered by other means. Any other error has ended the line.
func (s *Streams) Take(w http.ResponseWriter, req *http.Request, data any) error {
	if req.TLS != nil || req.ProtoMajor != 1 {
		return ErrTransport
	}
	if v := visitOf(req); v != nil { // has a line that is counted, and with its loop
		if v.hijacked || v.line == nil {
			return http.ErrHijacked
		}
		v.beginStream(s.settings, data)
		return nil
	}
	l, err := s.reactor.reserve()
	if err != nil {
		return err
	}
	line, err := hijackQuiet(w)
	if err != nil {
		s.reactor.population.leave()
		return err
	}
	return s.reactor.take(l, line, &arrival{settings: s.settings, data: data})
}

// hijackQuiet takes over a connection on which nothing has come after the request.
func hijackQuiet(w http.ResponseWriter) (net.Conn, error) {
	line, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, err
	}
	if buffered.Reader.Buffered() > 0 {
		line.Close()
		return nil, ErrUnasked
	}
	return line, nil
}

// Write sends bytes on a stream at once, behind all that was passed to it.
func (t *Turn) Write(b []byte) error { return t.loop.writeStream(t.line, b) }

// Write is Turn.Write for a connection of the loop.
func (l *Loop) Write(c Conn, b []byte) error {
	line := l.own.table.find(c.slot, c.generation)
	if line == nil {
		return websocket.ErrClosed
	}
	return l.own.writeStream(line, b)
}

// Raw makes a Frame of bytes as they are, for streams of this loop.
func (l *Loop) Raw(b []byte) Frame { return l.own.paint(b) }

func (l *loop) writeStream(c *line, b []byte) error {
	if c.state != streaming || c.broken {
		return websocket.ErrClosed
	}
	if l.flush(c); len(b) > 0 {
		l.write(c, b)
	}
	return nil
}

// lives reports whether the program has the line: it was told of its beginning and not of its end.
func (c *line) lives() bool { return c.state == open || c.state == streaming }

// scheduleStream puts a stream where the wheel finds it in time.
func (l *loop) scheduleStream(c *line) {
	due := time.Duration(0)
	if interval := c.settings.stream.Interval; interval > 0 && c.state == streaming {
		due = l.now + interval
	}
	if q := c.backlog; q != nil && q.due != 0 && (due == 0 || q.due < due) {
		due = q.due
	}
	if due != 0 {
		l.wheel.put(&l.table, c, max(due, l.now+1))
	}
}

// dueStream keeps a stream alive. One visit more than there had to be costs a few bytes.
func (l *loop) dueStream(c *line) {
	if keepAlive := c.settings.stream.KeepAlive; c.state == streaming && !c.blocked() && len(keepAlive) > 0 {
		l.write(c, keepAlive)
	}
	l.scheduleStream(c)
}

// endStream sends what there is and closes.
func (l *loop) endStream(c *line) {
	if l.flush(c); c.broken {
		return
	}
	l.closed(c, websocket.ErrClosed)
	c.state = lingering
	l.linger(c)
}

// isStream reports whether the line is a stream, or was one.
func (c *line) isStream() bool { return c.settings != nil && c.settings.stream != nil }
