package sse

import (
	"strings"
	"time"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/hub"
	"github.com/bellwire/bellwire/realtime/session"
)

// Protocol wraps a textual protocol, each of whose messages becomes one event.
type Protocol struct {
	inner session.Protocol
	name  string
	draw  func(window time.Duration) time.Duration
}

var _ session.Protocol = (*Protocol)(nil)

// New wraps inner. draw returns when a client is to come again of those that are to be spread over a window (EVT-3). It is
// called concurrently.
func New(inner session.Protocol, draw func(window time.Duration) time.Duration) *Protocol {
	return &Protocol{inner: inner, name: strings.TrimSuffix(inner.Name(), ".json") + ".sse", draw: draw}
}

// Name implements hub.Encoder. Of bellwire.v1.json it makes bellwire.v1.sse.
func (p *Protocol) Name() string { return p.name }

// Framing implements hub.Encoder.
func (p *Protocol) Framing() hub.Framing { return hub.FramingNone }

// Next implements session.Protocol for the body of a POST, which is of no kind: it is read as text.
func (p *Protocol) Next(message []byte, _ bool) (session.Request, []byte, error) {
	return p.inner.Next(message, false)
}

// EncodePublication implements hub.Encoder.
func (p *Protocol) EncodePublication(publication *realtime.Publication) []byte {
	return newEvent(headOfPublication(publication), p.inner.EncodePublication(publication))
}

// EncodePresence implements hub.Encoder.
func (p *Protocol) EncodePresence(change *realtime.PresenceChange) []byte {
	return newEvent(head{}, p.inner.EncodePresence(change))
}

// Encode implements session.Protocol.
func (p *Protocol) Encode(id uint32, message session.Message) []byte {
	return newEvent(p.headOf(message), p.inner.Encode(id, message))
}

// headOfPublication is empty where the publication has no position (POS-4) or comes by a pattern (SUB-10).
func headOfPublication(publication *realtime.Publication) head {
	if publication.Offset == 0 || publication.Pattern {
		return head{}
	}
	return headAt(publication.Channel, realtime.Position{Epoch: publication.Epoch, Offset: publication.Offset})
}

func (p *Protocol) headOf(message session.Message) head {
	switch m := message.(type) {
	case *session.Connected:
		return p.headWithin(m.Window)
	case *session.Notice:
		return p.headWithin(m.Window)
	case *session.Disconnect:
		if !m.Code.Retry() {
			return head{retryMillis: neverRetry.Milliseconds()}
		}
		return p.headWithin(m.Window)
	case *session.Subscribed:
		if m.Err == nil {
			return headAt(m.Channel, m.Position)
		}
	}
	return head{}
}

// neverRetry is how long an EventSource is kept away that is told never to come again: it has no way to be told so.
const neverRetry = 24 * time.Hour

// headWithin tells an EventSource when to come back: it has no chance of its own, so ours is drawn for it.
func (p *Protocol) headWithin(window time.Duration) head {
	if window <= 0 {
		return head{}
	}
	retry := p.draw(window)
	millis := retry / time.Millisecond
	if retry%time.Millisecond > 0 {
		millis++
	}
	return head{retryMillis: max(int64(millis), 1)}
}
