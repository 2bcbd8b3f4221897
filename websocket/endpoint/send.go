package endpoint

import (
	"errors"
	"math"
	"time"
	"unicode/utf8"

	"github.com/bellwire/bellwire/websocket/frame"
)

// Why a message is not sent. The connection lives on.
var (
	ErrNotOpen     = errors.New("the connection is closing or closed")
	ErrMessageOpen = errors.New("a message sent in parts has not ended")
	ErrNoMessage   = errors.New("no message sent in parts is open")
	ErrOpcode      = errors.New("a message is text or binary")
	ErrText        = errors.New("a text message must be UTF-8")
	ErrControl     = errors.New("a ping's payload is at most 125 bytes")
	ErrStatus      = errors.New("a close frame must carry a code that may be sent")
)

// Send puts a whole message in the output.
func (e *Endpoint) Send(opcode frame.Opcode, payload []byte) error {
	if err := e.maySend(opcode, payload); err != nil {
		return err
	}
	if e.deflate != nil && len(payload) >= e.config.CompressBytesMin && e.sendCompressed(opcode, payload) {
		return nil
	}
	e.appendFrame(frame.Header{Fin: true, Opcode: opcode}, payload)
	return nil
}

// SendHead puts the header of a message in the output whose payload the owner
// writes itself, right after the output it takes next. It saves copying a large
// message; a client cannot, since it has to mask.
func (e *Endpoint) SendHead(opcode frame.Opcode, payload []byte) error {
	if err := e.maySend(opcode, payload); err != nil {
		return err
	}
	e.settlePong()
	e.out = frame.Append(e.out, frame.Header{Fin: true, Opcode: opcode, Length: uint64(len(payload))})
	return nil
}

// CanSendHead reports whether a message of that size may be sent by SendHead.
func (e *Endpoint) CanSendHead(payloadBytes int) bool {
	return e.config.Side == frame.Server && (e.deflate == nil || payloadBytes < e.config.CompressBytesMin)
}

func (e *Endpoint) maySend(opcode frame.Opcode, payload []byte) error {
	switch {
	case e.state != open:
		return ErrNotOpen
	case e.sending != frame.Continuation:
		return ErrMessageOpen
	case !opcode.Data():
		return ErrOpcode
	case opcode == frame.Text && !utf8.Valid(payload):
		return ErrText
	}
	return nil
}

// sendCompressed reports false where compression does not pay or nothing is
// free to do it with: a message may always go out as it is (RFC 7692 6).
func (e *Endpoint) sendCompressed(opcode frame.Opcode, payload []byte) bool {
	scratch := newBuffer(len(payload))
	defer scratch.release()
	compressed, ok := e.deflate.Compress(scratch.bytes, payload)
	if !ok {
		return false
	}
	e.appendFrame(frame.Header{Fin: true, RSV1: true, Opcode: opcode}, compressed)
	return true
}

// BeginParts starts a message that is sent in parts. Text is the owner's to
// check, since a part may end inside a character.
func (e *Endpoint) BeginParts(opcode frame.Opcode) error {
	if err := e.maySend(opcode, nil); err != nil {
		return err
	}
	e.sending = opcode
	e.sendFirst = true
	e.sendFlate = e.deflate != nil && e.deflate.BeginStream()
	return nil
}

// SendPart puts a part in the output, as one frame. A compressed part that is
// not final may stay in the compressor.
func (e *Endpoint) SendPart(payload []byte, final bool) error {
	switch {
	case e.state != open:
		return ErrNotOpen
	case e.sending == frame.Continuation:
		return ErrNoMessage
	}
	if e.sendFlate {
		scratch := newBuffer(len(payload))
		defer scratch.release()
		payload = e.deflate.AppendStream(scratch.bytes, payload, final)
		if len(payload) == 0 && !final {
			return nil
		}
	}
	h := frame.Header{Fin: final, Opcode: frame.Continuation}
	if e.sendFirst {
		// RFC 7692 6.1: RSV1 is set on the first frame of a compressed message only.
		h.Opcode, h.RSV1 = e.sending, e.sendFlate
		e.sendFirst = false
	}
	e.appendFrame(h, payload)
	if final {
		e.sending = frame.Continuation
	}
	return nil
}

// SendPing puts a ping in the output.
func (e *Endpoint) SendPing(payload []byte) error {
	switch {
	case e.state != open:
		return ErrNotOpen
	case len(payload) > frame.ControlBytesMax:
		return ErrControl
	}
	if e.pingsOpen < math.MaxUint8 {
		e.pingsOpen++
	}
	e.appendFrame(frame.Header{Fin: true, Opcode: frame.Ping}, payload)
	return nil
}

// SendClose starts the close handshake; messages may come until the peer's
// close frame does. StatusNone sends none.
func (e *Endpoint) SendClose(status frame.Status, reason string, now time.Duration) error {
	switch {
	case e.state != open:
		return ErrNotOpen
	case status != frame.StatusNone && !status.Valid():
		return ErrStatus
	case !utf8.ValidString(reason):
		return ErrText
	}
	e.appendClose(status, reason)
	e.pingAwaits = false
	e.deadline = now + e.config.CloseTimeout
	return nil
}

// appendFrame is the one place where frames are made.
func (e *Endpoint) appendFrame(h frame.Header, payload []byte) {
	h.Length = uint64(len(payload))
	if e.config.Side == frame.Client {
		h.Masked = true
		h.Key = e.config.MaskKey()
	}
	e.out = frame.Append(e.out, h)
	start := len(e.out)
	e.out = append(e.out, payload...)
	if h.Masked {
		frame.Mask(e.out[start:], h.Key)
	}
}
