package endpoint

import (
	"time"

	"github.com/bellwire/bellwire/websocket/frame"
)

// Receive gives the endpoint bytes from the peer. They are its own until Next
// has returned no event. Input after the end is ignored.
func (e *Endpoint) Receive(input []byte, now time.Duration) {
	if e.state >= ending || len(input) == 0 {
		return
	}
	r := e.receiving()
	if len(r.in) > 0 || r.inflates {
		panic("endpoint: Receive before Next returned no event")
	}
	r.held.release()
	r.held = nil
	r.in = input
	e.heard = now
	if e.pingAwaits {
		// Any sign of life will do: data may stand before the pong in the peer's queue.
		e.pingAwaits = false
		e.deadline = 0
	}
}

// ReceiveEOF tells the endpoint that no more bytes will come. A message that
// has come in part is never handed out.
func (e *Endpoint) ReceiveEOF() {
	e.end(Event{Kind: Closed, Status: frame.StatusAbnormal})
}

// Next returns the next event, or one of kind None when more input is needed.
// Messages come whole; what is left of one that NextPart began is skipped.
func (e *Endpoint) Next(now time.Duration) Event { return e.next(now, false) }

// NextPart is Next, except that a message comes in parts as they arrive, and
// nothing of it is stored. Compressed messages come in one part.
func (e *Endpoint) NextPart(now time.Duration) Event { return e.next(now, true) }

func (e *Endpoint) next(now time.Duration, parts bool) Event {
	r := e.receiver
	if r == nil {
		return Event{}
	}
	r.reclaim()
	if len(r.in) == 0 && !r.inFrame && !r.inflates && e.state < ending { // nearly always, after a message
		e.rest()
		return Event{}
	}
	for e.state < ending {
		if r.inflates {
			if event := e.inflate(r, parts); event.Kind != None {
				return event
			}
			continue
		}
		if !r.inFrame {
			complete, violation := e.readHeader(r)
			if violation != nil {
				e.fail(violation)
				break
			}
			if !complete {
				e.rest()
				return Event{}
			}
		}
		var event Event
		if r.opcode.Control() {
			event = e.readControl(r, now)
		} else {
			event = e.readData(r, parts)
		}
		if event.Kind != None {
			return event
		}
		if r.inFrame && e.state < ending {
			return Event{} // the frame goes on in the next input
		}
	}
	return e.lastEvent(r)
}

// lastEvent says once how the connection ended.
func (e *Endpoint) lastEvent(r *receiver) Event {
	if e.state != ending {
		return Event{}
	}
	e.state = closed
	last := r.last
	r.inFrame, r.headBytes, r.message = false, 0, frame.Continuation
	e.rest()
	return last
}

// readHeader reads the header of the next frame, complete or not, and holds it
// against the rules as early as it can.
func (e *Endpoint) readHeader(r *receiver) (complete bool, _ *frame.Violation) {
	b := r.in
	if r.headBytes > 0 {
		n := copy(r.head[r.headBytes:], r.in)
		b = r.head[:r.headBytes+n]
	}
	if len(b) >= 2 {
		rules := frame.Receiver{Side: e.config.Side, Message: r.message, Deflate: e.deflate != nil}
		if v := rules.Check(b[0], b[1]); v != nil {
			return false, v
		}
	}
	h, n := frame.Decode(b)
	if n == 0 {
		if r.headBytes == 0 {
			copy(r.head[:], b)
		}
		r.headBytes = len(b)
		r.in = nil
		return false, nil
	}
	if v := frame.CheckLength(b[1], h.Length); v != nil {
		return false, v
	}
	r.in = r.in[n-r.headBytes:]
	r.headBytes = 0
	return true, e.startFrame(r, h)
}

// startFrame makes a frame the one in progress, and applies the limits before a
// byte of it is stored.
func (e *Endpoint) startFrame(r *receiver, h frame.Header) *frame.Violation {
	r.inFrame = true
	r.fin = h.Fin
	r.opcode = h.Opcode
	r.key = h.Key
	r.remaining = h.Length
	if h.Opcode.Control() {
		r.controls = 0
		return nil
	}
	if h.Opcode.Data() {
		r.message = h.Opcode
		r.compressed = h.RSV1
	}
	r.fragments++
	if r.fragments > e.config.FragmentsMax {
		return ErrFragments
	}
	if h.Length > uint64(e.wireBytesMax(r)-r.size) {
		return ErrMessageSize
	}
	r.size += int64(h.Length)
	return nil
}

// wireBytesMax returns how large the payloads of a message's frames may be
// together. What is compressed may be a little larger than what it stands for.
func (e *Endpoint) wireBytesMax(r *receiver) int64 {
	limit := e.config.MessageBytesMax
	if r.compressed {
		return limit + limit/8 + 1024
	}
	return limit
}

// readData takes what is there of a data frame. It returns an event of kind None
// when the message, or with parts asked for the part, is not there yet.
func (e *Endpoint) readData(r *receiver, parts bool) Event {
	chunk := r.take()
	r.inFrame = r.remaining > 0
	final := r.fin && !r.inFrame
	if r.message == frame.Text && !r.compressed {
		if !r.text.Next(chunk) || final && !r.text.Complete() {
			e.fail(ErrUTF8)
			return Event{}
		}
	}
	switch {
	case r.given && !parts:
		if final {
			r.endMessage()
		}
		return Event{}
	case parts && !r.compressed:
		return r.part(chunk, final)
	case !final:
		r.keep(chunk)
		return Event{}
	}
	return e.finishMessage(r, chunk, parts)
}

// part hands out what is there of a message that is not stored.
func (r *receiver) part(chunk []byte, final bool) Event {
	payload := r.handOut(chunk)
	if len(payload) == 0 && !final {
		return Event{}
	}
	event := Event{Kind: Part, Opcode: r.message, First: !r.given, Final: final, Payload: payload}
	r.given = true
	if final {
		r.endMessage()
	}
	return event
}

// finishMessage hands out a message whose last bytes are in chunk.
func (e *Endpoint) finishMessage(r *receiver, chunk []byte, parts bool) Event {
	if r.compressed {
		r.deflated, r.inflates = r.gather(chunk), true
		return e.inflate(r, parts)
	}
	return r.messageEvent(r.handOut(chunk), parts)
}

// messageEvent is that of the message in progress, which it ends.
func (r *receiver) messageEvent(payload []byte, parts bool) Event {
	event := Event{Kind: Message, Opcode: r.message, First: true, Final: true, Payload: payload}
	if parts {
		event.Kind = Part
	}
	r.endMessage()
	return event
}
