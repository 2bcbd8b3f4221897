package frame

// Side is which end of a connection one is.
type Side uint8

// The two ends.
const (
	Server Side = iota
	Client
)

// The rules of a frame's header, one variable each.
var (
	ErrRSV2         = &Violation{StatusProtocol, "RFC 6455 5.2", "RSV2 must be 0"}
	ErrRSV3         = &Violation{StatusProtocol, "RFC 6455 5.2", "RSV3 must be 0"}
	ErrRSV1         = &Violation{StatusProtocol, "RFC 6455 5.2", "RSV1 must be 0 where no extension gives it a meaning"}
	ErrRSV1Control  = &Violation{StatusProtocol, "RFC 7692 6.1", "RSV1 must be 0 on a control frame"}
	ErrRSV1Continue = &Violation{StatusProtocol, "RFC 7692 6.1", "RSV1 must be 0 on a continuation frame"}
	ErrOpcode       = &Violation{StatusProtocol, "RFC 6455 5.2", "opcodes 3 to 7 and 11 to 15 are reserved"}
	ErrControlFin   = &Violation{StatusProtocol, "RFC 6455 5.5", "a control frame must not be fragmented"}
	ErrControlSize  = &Violation{StatusProtocol, "RFC 6455 5.5", "a control frame's payload is at most 125 bytes"}
	ErrContinuation = &Violation{StatusProtocol, "RFC 6455 5.4", "a continuation frame needs a message to continue"}
	ErrInterleaved  = &Violation{StatusProtocol, "RFC 6455 5.4", "a message must end before the next one starts"}
	ErrUnmasked     = &Violation{StatusProtocol, "RFC 6455 5.1", "a client must mask its frames"}
	ErrMasked       = &Violation{StatusProtocol, "RFC 6455 5.1", "a server must not mask its frames"}
	ErrLengthTop    = &Violation{StatusProtocol, "RFC 6455 5.2", "the top bit of a 64-bit length must be 0"}
	ErrLengthForm   = &Violation{StatusProtocol, "RFC 6455 5.2", "a length must use its shortest form"}
)

// Receiver is all that the rules of a header depend on besides the header.
type Receiver struct {
	Side    Side   // the end that receives
	Message Opcode // Text or Binary inside a fragmented message, else Continuation
	Deflate bool   // permessage-deflate was agreed
}

// Check holds a header's first two bytes against the rules, so that a wrong
// frame fails before its length or payload has come.
func (r Receiver) Check(first, second byte) *Violation {
	opcode := Opcode(first & maskOpcode)
	if v := r.checkReserved(first, opcode); v != nil {
		return v
	}
	if opcode.Control() {
		if v := checkControl(first, second); v != nil {
			return v
		}
	} else if v := r.checkSequence(opcode); v != nil {
		return v
	}
	return r.checkMask(second)
}

func (r Receiver) checkReserved(first byte, opcode Opcode) *Violation {
	switch {
	case first&bitRSV2 != 0:
		return ErrRSV2
	case first&bitRSV3 != 0:
		return ErrRSV3
	case opcode > Binary && opcode < Close:
		return ErrOpcode
	case opcode > Pong:
		return ErrOpcode
	case first&bitRSV1 == 0:
		return nil
	case !r.Deflate:
		return ErrRSV1
	case opcode.Control():
		return ErrRSV1Control
	case opcode == Continuation:
		return ErrRSV1Continue
	}
	return nil
}

func checkControl(first, second byte) *Violation {
	switch {
	case first&bitFin == 0:
		return ErrControlFin
	case second&maskLength > ControlBytesMax:
		return ErrControlSize
	}
	return nil
}

func (r Receiver) checkSequence(opcode Opcode) *Violation {
	switch {
	case opcode == Continuation && r.Message == Continuation:
		return ErrContinuation
	case opcode != Continuation && r.Message != Continuation:
		return ErrInterleaved
	}
	return nil
}

func (r Receiver) checkMask(second byte) *Violation {
	masked := second&bitMask != 0
	switch {
	case r.Side == Server && !masked:
		return ErrUnmasked
	case r.Side == Client && masked:
		return ErrMasked
	}
	return nil
}

// CheckLength holds a decoded length against the form it came in, which the
// header's second byte tells.
func CheckLength(second byte, length uint64) *Violation {
	switch second & maskLength {
	case length16:
		if length < length16 {
			return ErrLengthForm
		}
	case length64:
		if length>>63 != 0 {
			return ErrLengthTop
		}
		if length <= 0xffff {
			return ErrLengthForm
		}
	}
	return nil
}
