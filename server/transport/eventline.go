package transport

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/bellwire/bellwire/protocol/sse"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/node"
	"github.com/bellwire/bellwire/realtime/session"
	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/reactor"
)

// eventLine is an event line that a loop of the reactor serves. At rest there is of it what there is of a WebSocket.
type eventLine struct {
	carriage

	// Owned by the loop.
	prelude   *prelude       // nil: the answer has begun
	positions *sse.Positions // nil: all ids are of one channel
}

var _ session.Carried = (*eventLine)(nil)

// prelude is what is needed until the answer begins: with the first event, or with the status of a refusal. That is known
// when the session has something to say.
type prelude struct {
	header http.Header
	first  []byte // the client's first message; nil: none
	wants  bool   // the client knows what events are
	status int    // how the answer is to begin; 0: undecided
	said   []byte // what the client is told with a refusal; nil: what its status means
}

// begins says how the answer begins: with 200 and events, or with a refusal. messages are what is to be said.
func (p *prelude) begins(connection *node.Connection, messages [][]byte) (status int) {
	if p.status == 0 {
		connected, code := connection.Standing()
		p.status = p.judge(connected, code)
		if p.status == http.StatusBadRequest && code == 0 && len(messages) > 0 {
			p.said = sse.Data(messages[0])
		}
	}
	return p.status
}

func (p *prelude) judge(connected bool, code realtime.Code) (status int) {
	switch {
	case connected:
		return http.StatusOK
	case code == 0:
		return http.StatusBadRequest // the client's message was wrong, and there is no other to come
	case code.Retry() && code != realtime.CodeExpired && p.wants:
		return http.StatusOK // an event says when to come again, since any other status says never
	}
	return statusOf(code)
}

// endsUnsaid is how the answer begins, and ends, where no event was said.
func (p *prelude) endsUnsaid(n *node.Node, connection *node.Connection) (status int, body string) {
	if status = p.begins(connection, nil); status == http.StatusOK {
		status = http.StatusServiceUnavailable // it was let in, and ended before it was told so
	}
	return status, p.refusal(connection, status, n.RetryAfter())
}

// refusal makes the header that of a refusal, and returns its body.
func (p *prelude) refusal(connection *node.Connection, status int, retryAfter time.Duration) string {
	for _, name := range []string{"Cache-Control", "X-Accel-Buffering"} {
		p.header.Del(name)
	}
	if p.said != nil {
		p.header.Set("Content-Type", "application/json")
		return string(p.said)
	}
	p.header.Set("Content-Type", "text/plain; charset=utf-8")
	if status == http.StatusServiceUnavailable {
		p.header.Set("Retry-After", wholeSeconds(retryAfter))
	}
	if _, code := connection.Standing(); code != 0 {
		return code.Meaning() + "\n"
	}
	return "the body must begin with a connect command that is right\n"
}

// carry has a loop serve the line, and reports whether it does.
func (e *Events) carry(w http.ResponseWriter, r *http.Request, asked *eventRequest, slot *Slot) bool {
	setEventHeader(w.Header(), r)
	l := &eventLine{
		carriage:  carriage{transport: e.lines, slot: slot},
		prelude:   &prelude{header: w.Header(), first: asked.first, wants: asked.wants},
		positions: asked.positions(),
	}
	connection, err := e.lines.config.Node.Open(l, e.protocol, asked.hello)
	if err != nil {
		slot.Release()
		e.later(w, r, e.full(err))
		return false
	}
	l.connection = connection
	if err := e.streams.Take(w, r, l); err != nil {
		slot.Release()
		connection.Closed(err)
		if errors.Is(err, reactor.ErrFull) || errors.Is(err, reactor.ErrBusy) || errors.Is(err, websocket.ErrClosed) { // and still HTTP's
			e.later(w, r, e.full(err))
		}
		return false
	}
	return true
}

// positions is nil where all ids are of one channel.
func (asked *eventRequest) positions() *sse.Positions {
	if !asked.many {
		return nil
	}
	known := make(map[string]realtime.Position, len(asked.hello.Since))
	for _, channel := range asked.hello.Channels {
		if since, found := asked.hello.Since[channel]; found {
			known[channel] = since
		}
	}
	p := new(sse.Positions)
	p.Start(known)
	return p
}

func (l *eventLine) Name() string { return "sse" }

// Ready implements session.Carried. What is passed is the same for all lines, and with it its id.
func (l *eventLine) Ready() bool { return l.positions == nil && l.carriage.Ready() }

// begin is called on the loop, before anything else of the line.
func (l *eventLine) begin(t *reactor.Turn) {
	if end := l.open(t); end != nil {
		l.hangUp(t)
		return
	}
	first := l.prelude.first
	if first == nil {
		return
	}
	l.prelude.first = nil
	if rest, _ := l.connection.TryReceive(first, false); rest != nil {
		l.transport.group.Go("rest of a message", func() { _ = rest() }, nil)
	}
}

// Write implements session.Transport. The first write decides how the answer begins.
func (l *eventLine) Write(messages [][]byte) error {
	l.releaseSlot()
	c := l.carrier
	if l.prelude == nil && l.positions == nil && len(messages) == 1 {
		return c.loop.Write(l.conn, messages[0])
	}
	c.joined = c.joined[:0]
	if p := l.prelude; p != nil {
		if p.begins(l.connection, messages) != http.StatusOK {
			l.Close(realtime.CodeBadProtocol, "") // which the session's own end may have come before
			return nil
		}
		l.prelude = nil
		c.joined = appendHead(c.joined, http.StatusOK, p.header)
	}
	for _, m := range messages {
		c.joined = appendEvent(c.joined, m, l.positions)
	}
	err := c.loop.Write(l.conn, c.joined)
	c.trim()
	return err
}

func appendEvent(dst, event []byte, positions *sse.Positions) []byte {
	if positions == nil {
		return append(dst, event...)
	}
	return positions.Rewrite(dst, event)
}

// appendHead writes the head of an answer whose end is that of the connection (RFC 9112 6.3).
func appendHead(dst []byte, status int, header http.Header) []byte {
	b := bytes.NewBuffer(dst)
	b.WriteString("HTTP/1.1 " + strconv.Itoa(status) + " " + http.StatusText(status) + "\r\n")
	header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	_ = header.Write(b) // a buffer takes everything
	b.WriteString("\r\n")
	return b.Bytes()
}

// Close implements session.Transport. It may come before the line is open.
func (l *eventLine) Close(realtime.Code, string) {
	l.close(ending{}, func(conn reactor.Conn, _ ending) {
		_ = conn.Do(l.hangUp) // fails for a line that has ended
	})
}

// hangUp ends the line, with a refusal where nothing has been said yet.
func (l *eventLine) hangUp(t *reactor.Turn) {
	if p := l.prelude; p != nil {
		l.prelude = nil
		status, body := p.endsUnsaid(l.transport.config.Node, l.connection)
		l.transport.config.Metrics.Refused(status)
		p.header.Set("Content-Length", strconv.Itoa(len(body)))
		_ = t.Write(append(appendHead(nil, status, p.header), body...)) // the line is there
	}
	_ = t.Close(0, "")
}

// gone is called on the loop, last.
func (l *eventLine) gone(err error) {
	switch {
	case errors.Is(err, io.EOF): // as an EventSource closes
		err = nil
	case errors.Is(err, reactor.ErrUnasked):
		err = realtime.NewError(realtime.CodeBadProtocol, err.Error())
	}
	l.carriage.gone(err)
}
