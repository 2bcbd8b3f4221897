package endpoint

import (
	"errors"

	"github.com/bellwire/bellwire/websocket/deflate"
	"github.com/bellwire/bellwire/websocket/frame"
)

// InflateStepBytes is how much of a compressed message is inflated by one call. A thousandth of it
// may have come: what is left is for the calls that follow, so that nobody else waits for it.
const InflateStepBytes = 64 << 10

// inflate goes on with the compressed message that has come.
func (e *Endpoint) inflate(r *receiver, parts bool) Event {
	if r.inflated == nil {
		r.inflated = newBuffer(min(2*len(r.deflated), InflateStepBytes))
		e.deflate.BeginInflate(r.deflated)
	}
	done, violation := e.inflateStep(r)
	switch {
	case violation != nil:
		e.fail(violation)
		return Event{}
	case !done:
		event := Event{Kind: Inflating, First: !r.waits}
		r.waits = true
		return event
	}
	r.lent, r.inflated = r.inflated, nil
	r.assembly.release()
	r.assembly = nil
	return r.messageEvent(r.lent.bytes, parts)
}

// inflateStep stops where the message grows beyond the limit, or is no text.
func (e *Endpoint) inflateStep(r *receiver) (done bool, _ *frame.Violation) {
	before := len(r.inflated.bytes)
	var err error
	r.inflated.bytes, done, err = e.deflate.AppendInflated(r.inflated.bytes, InflateStepBytes, e.config.MessageBytesMax)
	switch {
	case errors.Is(err, deflate.ErrSize):
		return false, ErrMessageSize
	case err != nil:
		return false, ErrDeflate
	case r.message == frame.Text && (!r.text.Next(r.inflated.bytes[before:]) || done && !r.text.Complete()):
		return false, ErrUTF8
	}
	return done, nil
}

// Hold lets the owner put a connection off after an event of kind Inflating: input that was not acted on is copied, and is the
// owner's again; the decompressor is given back, and what has been inflated so far is forgotten. Next begins anew.
func (e *Endpoint) Hold() {
	r := e.receiver
	if r == nil || e.state >= ending {
		return
	}
	if r.inflates {
		e.deflate.DropInflate()
		r.inflated.release()
		r.inflated = nil
		r.text = frame.UTF8{}
		if r.assembly == nil {
			r.keep(r.deflated)
			r.deflated = r.assembly.bytes
		}
	}
	var held *buffer
	if len(r.in) > 0 {
		held = newBuffer(len(r.in)).append(r.in)
		r.in = held.bytes
	}
	r.held.release()
	r.held = held
}
