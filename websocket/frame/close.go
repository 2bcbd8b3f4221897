package frame

import (
	"encoding/binary"
	"unicode/utf8"
)

// The rules of a close frame's payload.
var (
	ErrCloseSize   = &Violation{StatusProtocol, "RFC 6455 5.5.1", "a close payload is empty or starts with a two-byte code"}
	ErrCloseStatus = &Violation{StatusProtocol, "RFC 6455 7.4", "a close frame must carry a code that may be sent"}
	ErrCloseReason = &Violation{StatusPayload, "RFC 6455 5.5.1", "a close reason must be UTF-8"}
)

// DecodeClose reads the payload of a close frame. Where it is empty the status
// is StatusNone. The reason is a part of b.
func DecodeClose(b []byte) (Status, []byte, *Violation) {
	if len(b) == 0 {
		return StatusNone, nil, nil
	}
	if len(b) == 1 {
		return 0, nil, ErrCloseSize
	}
	status := Status(binary.BigEndian.Uint16(b))
	if !status.Valid() {
		return 0, nil, ErrCloseStatus
	}
	reason := b[2:]
	if !utf8.Valid(reason) {
		return 0, nil, ErrCloseReason
	}
	return status, reason, nil
}

// AppendClose writes the payload of a close frame: nothing for StatusNone. A
// reason that is too long is cut between characters, so that the payload fits.
func AppendClose(dst []byte, status Status, reason string) []byte {
	if status == StatusNone {
		return dst
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(status))
	return append(dst, CutReason(reason)...)
}

// CutReason returns as much of a close reason as a close frame can hold.
func CutReason(reason string) string {
	if len(reason) <= ReasonBytesMax {
		return reason
	}
	n := ReasonBytesMax
	for n > 0 && !utf8.RuneStart(reason[n]) {
		n--
	}
	return reason[:n]
}
