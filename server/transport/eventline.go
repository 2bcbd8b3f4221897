package transport

import (
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/bellwire/bellwire/protocol/sse"
	"github.com/bellwire/bellwire/realtime"
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
