package endpoint

import (
	"encoding/binary"
	"time"
	"unicode/utf8"

	"github.com/bellwire/bellwire/websocket/frame"
)

// NextWhole is Next with a short way for what nearly every frame of a live line
// is: a message in one frame, not compressed, that lies whole in the input. With sixteen
// messages to a read, the long way costs more than the system calls.
func (e *Endpoint) NextWhole(now time.Duration) Event {
	r := e.receiver
	if r == nil {
		return Event{}
	}
	if e.state < ending && !r.inFrame && r.headBytes == 0 && r.message == frame.Continuation && r.lent == nil {
		if payload, opcode := wholeFrame(r.in, e.config.Side, e.config.MessageBytesMax); opcode != frame.Continuation {
			return e.takeWhole(r, payload, opcode)
		}
	}
	return e.next(now, false)
}

// The first bytes of frames that are whole messages.
const (
	wholeText   = 0x80 | byte(frame.Text)
	wholeBinary = 0x80 | byte(frame.Binary)
)

// wholeFrame returns where the payload of the first frame of b ends a header and
// the opcode of the message that it is; Continuation where it is anything but an
// ordinary message that is there as a whole, right or wrong.
func wholeFrame(b []byte, receiver frame.Side, bytesMax int64) (payload span, opcode frame.Opcode) {
	if len(b) < 2 || b[0] != wholeText && b[0] != wholeBinary {
		return span{}, frame.Continuation
	}
	second, key := b[1], 0
	if receiver == frame.Server {
		second ^= 0x80 // RFC 6455 5.1: a client masks, a server does not
		key = 4
	}
	start, length := 2, int(second)
	switch {
	case second == 126 && len(b) >= 4:
		start, length = 4, int(binary.BigEndian.Uint16(b[2:]))
		if length < 126 {
			return span{}, frame.Continuation // not the shortest form
		}
	case second >= 126:
		return span{}, frame.Continuation
	}
	start += key
	if len(b)-start < length || int64(length) > bytesMax {
		return span{}, frame.Continuation
	}
	return span{start, start + length}, frame.Opcode(b[0] & 0x0f)
}

// span is a part of the input.
type span struct{ start, end int }

func (e *Endpoint) takeWhole(r *receiver, at span, opcode frame.Opcode) Event {
	payload := r.in[at.start:at.end:at.end]
	if e.config.Side == frame.Server {
		if key := binary.LittleEndian.Uint32(r.in[at.start-4:]); key != 0 {
			frame.Mask(payload, key)
		}
	}
	r.in = r.in[at.end:]
	if opcode == frame.Text && !utf8.Valid(payload) {
		e.fail(ErrUTF8)
		return e.lastEvent(r)
	}
	return Event{Kind: Message, Opcode: opcode, First: true, Final: true, Payload: payload}
}
