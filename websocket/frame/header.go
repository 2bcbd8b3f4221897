package frame

import "encoding/binary"

// Opcode says what a frame is (RFC 6455 5.2).
type Opcode byte

// The opcodes the RFC defines; 3 to 7 and 11 to 15 are reserved.
const (
	Continuation Opcode = 0
	Text         Opcode = 1
	Binary       Opcode = 2
	Close        Opcode = 8
	Ping         Opcode = 9
	Pong         Opcode = 10
)

// Control reports whether the opcode is of a control frame.
// RFC 6455 5.5: control frames are those whose top bit of the opcode is 1.
func (o Opcode) Control() bool { return o&0x8 != 0 }

// Data reports whether the opcode starts a message.
func (o Opcode) Data() bool { return o == Text || o == Binary }

// Sizes of the parts of a frame.
const (
	HeaderBytesMax  = 14  // two bytes, a 64-bit length, a mask key
	ControlBytesMax = 125 // RFC 6455 5.5: control frames are at most 125 bytes and whole
	ReasonBytesMax  = ControlBytesMax - 2
)

// The bits of a header's first two bytes.
const (
	bitFin  = 0x80
	bitRSV1 = 0x40
	bitRSV2 = 0x20
	bitRSV3 = 0x10
	bitMask = 0x80

	maskOpcode = 0x0f
	maskLength = 0x7f

	length16 = 126 // the next two bytes are the length
	length64 = 127 // the next eight bytes are the length
)

// Header is the part of a frame before its payload.
type Header struct {
	Fin              bool
	RSV1, RSV2, RSV3 bool
	Opcode           Opcode
	Masked           bool
	Key              uint32 // the four bytes as they stand on the wire, little-endian
	Length           uint64
}

// HeaderBytes returns how long the header is that starts with a byte pair
// whose second byte is this one.
func HeaderBytes(second byte) int {
	n := 2
	switch second & maskLength {
	case length16:
		n += 2
	case length64:
		n += 8
	}
	if second&bitMask != 0 {
		n += 4
	}
	return n
}

// Decode reads the header b starts with and says how many bytes it took, which
// is 0 as long as some are missing. It checks no rule: see [Receiver] and [CheckLength].
func Decode(b []byte) (h Header, n int) {
	if len(b) < 2 {
		return Header{}, 0
	}
	n = HeaderBytes(b[1])
	if len(b) < n {
		return Header{}, 0
	}
	h = Header{
		Fin:    b[0]&bitFin != 0,
		RSV1:   b[0]&bitRSV1 != 0,
		RSV2:   b[0]&bitRSV2 != 0,
		RSV3:   b[0]&bitRSV3 != 0,
		Opcode: Opcode(b[0] & maskOpcode),
		Masked: b[1]&bitMask != 0,
		Length: uint64(b[1] & maskLength),
	}
	switch h.Length {
	case length16:
		h.Length = uint64(binary.BigEndian.Uint16(b[2:]))
	case length64:
		h.Length = binary.BigEndian.Uint64(b[2:])
	}
	if h.Masked {
		h.Key = binary.LittleEndian.Uint32(b[n-4:])
	}
	return h, n
}

// Append writes the header with the shortest form of its length.
// RFC 6455 5.2: the minimal number of bytes must be used to encode the length.
func Append(dst []byte, h Header) []byte {
	first := byte(h.Opcode)
	if h.Fin {
		first |= bitFin
	}
	if h.RSV1 {
		first |= bitRSV1
	}
	if h.RSV2 {
		first |= bitRSV2
	}
	if h.RSV3 {
		first |= bitRSV3
	}
	var mask byte
	if h.Masked {
		mask = bitMask
	}
	switch {
	case h.Length < length16:
		dst = append(dst, first, mask|byte(h.Length))
	case h.Length <= 0xffff:
		dst = append(dst, first, mask|length16)
		dst = binary.BigEndian.AppendUint16(dst, uint16(h.Length))
	default:
		dst = append(dst, first, mask|length64)
		dst = binary.BigEndian.AppendUint64(dst, h.Length)
	}
	if h.Masked {
		dst = binary.LittleEndian.AppendUint32(dst, h.Key)
	}
	return dst
}
