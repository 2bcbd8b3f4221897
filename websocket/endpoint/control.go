package endpoint

import (
	"bytes"
	"time"

	"github.com/bellwire/bellwire/websocket/frame"
)

// pongsReadyMax is how many pongs wait in the output before only the newest
// ping is answered. RFC 6455 5.5.3: an endpoint may answer only the latest.
const pongsReadyMax = 16

// readControl takes what is there of a control frame and acts on it once it
// is whole.
func (e *Endpoint) readControl(r *receiver, now time.Duration) Event {
	payload := r.take()
	if r.remaining > 0 || r.controls > 0 {
		r.controls += copy(r.control[r.controls:], payload)
		payload = r.control[:r.controls]
	}
	if r.remaining > 0 {
		return Event{}
	}
	r.inFrame = false
	switch r.opcode {
	case frame.Ping:
		return e.receivePing(payload, now)
	case frame.Pong:
		return e.receivePong(payload, now)
	}
	return e.receiveClose(payload)
}

func (e *Endpoint) receivePing(payload []byte, now time.Duration) Event {
	if e.flooded(now) {
		e.fail(ErrControlFlood)
		return Event{}
	}
	if e.state == open {
		e.answerPing(payload)
	}
	return Event{Kind: Ping, Payload: payload}
}

// answerPing puts a pong in the output, or keeps its payload until there is room.
func (e *Endpoint) answerPing(payload []byte) {
	if e.pongsReady >= pongsReadyMax {
		if e.late == nil {
			e.late = new([]byte)
		}
		*e.late = append((*e.late)[:0], payload...)
		return
	}
	e.pongsReady++
	e.appendFrame(frame.Header{Fin: true, Opcode: frame.Pong}, payload)
}

// settlePong answers the newest of the pings that found too many pongs waiting.
func (e *Endpoint) settlePong() {
	if e.late == nil {
		return
	}
	if e.state == open {
		e.appendFrame(frame.Header{Fin: true, Opcode: frame.Pong}, *e.late)
	}
	e.late = nil
}

func (e *Endpoint) receivePong(payload []byte, now time.Duration) Event {
	// RFC 6455 5.5.3: a pong may come unasked; but not without bound.
	if e.pingsOpen > 0 {
		e.pingsOpen--
	} else if e.flooded(now) {
		e.fail(ErrControlFlood)
		return Event{}
	}
	return Event{Kind: Pong, Payload: payload}
}

// flooded counts a control frame against the allowance of the configuration.
func (e *Endpoint) flooded(now time.Duration) bool {
	each := time.Second / time.Duration(e.config.ControlPerSec)
	if e.flood < now {
		e.flood = now
	}
	e.flood += each
	return e.flood-now > each*time.Duration(e.config.ControlBurst)
}

// receiveClose answers the peer's close frame, unless it answers ours.
func (e *Endpoint) receiveClose(payload []byte) Event {
	status, reason, violation := frame.DecodeClose(payload)
	if violation != nil {
		e.fail(violation)
		return Event{}
	}
	if e.state == open {
		// RFC 6455 5.5.1: the answer echoes the status code it received.
		e.appendClose(status, "")
	}
	// The reason outlives the receiver, which goes with this last event.
	e.end(Event{Kind: Closed, Status: status, Payload: bytes.Clone(reason)})
	return Event{}
}

// appendClose puts the close frame in the output; nothing may follow it.
func (e *Endpoint) appendClose(status frame.Status, reason string) {
	e.settlePong()
	var payload [frame.ControlBytesMax]byte
	e.appendFrame(frame.Header{Fin: true, Opcode: frame.Close}, frame.AppendClose(payload[:0], status, reason))
	e.state = closing
}

// Deadline returns the instant at which Tick is due, and false where none is.
func (e *Endpoint) Deadline() (time.Duration, bool) {
	switch {
	case e.state >= ending:
		return 0, false
	case e.deadline != 0:
		return e.deadline, true
	case e.state == open && e.config.PingInterval > 0:
		return e.heard + e.config.PingInterval, true
	}
	return 0, false
}

// Awaits reports whether Tick at the deadline will give the peer up, since an answer of it
// has not come. If not, it will ping the peer.
func (e *Endpoint) Awaits() bool { return e.deadline != 0 && e.state < ending }

// Tick tells the endpoint what time it is. Where the endpoint Awaits something, all input that could be read
// must have been given to it before: a peer is judged by what it could have sent, not by when this side
// was too busy to read it.
func (e *Endpoint) Tick(now time.Duration) {
	due, ok := e.Deadline()
	if !ok || now < due {
		return
	}
	switch {
	case e.state == closing:
		e.fail(ErrCloseTimeout)
	case e.deadline != 0:
		e.fail(ErrSilent)
	default:
		e.probe(now)
	}
}

// probe pings a silent peer, and expects a sign of life.
func (e *Endpoint) probe(now time.Duration) {
	e.heard = now // the next ping is due an interval from here
	e.SendPing(nil)
	if e.config.PongTimeout > 0 {
		e.pingAwaits = true
		e.deadline = now + e.config.PongTimeout
	}
}
