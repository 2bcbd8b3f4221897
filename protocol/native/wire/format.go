package wire

import (
	"errors"

	"github.com/bellwire/bellwire/realtime"
)

// Format is one of the two framings of the schema (CON-1).
type Format uint8

const (
	JSON  Format = iota // text: documents that end with a line feed
	Proto               // binary: messages preceded by their length
)

// Subprotocols of the WebSocket handshake (CON-1).
const (
	SubprotocolJSON  = "bellwire.v1.json"
	SubprotocolProto = "bellwire.v1.proto"
)

// Subprotocol is the format's name in the WebSocket handshake.
func (f Format) Subprotocol() string {
	if f == Proto {
		return SubprotocolProto
	}
	return SubprotocolJSON
}

// String is for logs and test names.
func (f Format) String() string {
	if f == Proto {
		return "proto"
	}
	return "json"
}

// Binary reports whether the format's WebSocket messages are binary (CON-2).
func (f Format) Binary() bool { return f == Proto }

// FormatOf is the inverse of Subprotocol.
func FormatOf(subprotocol string) (f Format, ok bool) {
	switch subprotocol {
	case SubprotocolJSON:
		return JSON, true
	case SubprotocolProto:
		return Proto, true
	}
	return 0, false
}

// Limits of the schema itself. A server's own limits are usually lower and are not this package's.
const (
	DepthMax        = 32        // nesting of a client's JSON document (MSG-9)
	PayloadDepthMax = 30        // nesting of a JSON payload (MSG-9)
	ItemsMax        = 1000      // elements of one list of a client message
	IDMax           = 1<<32 - 1 // MSG-2
	LimitMax        = 1000      // HIS-1, STA-1, PRE-3
	ClientBytesMax  = 64        // CNT-1
	TokenBytesMax   = 8 << 10   // section 13
	MethodBytesMax  = 128       // CAL-1
	EpochBytesMax   = 32        // POS-1
)

// ErrMalformed is what the error of a decoder is (errors.Is) when the bytes are not what CON-2 says. It ends the
// connection; no other error of a decoder does.
var ErrMalformed = errors.New("malformed message")

// Refusal is the error of one message that can be decoded and is wrong. The connection lives (CON-6).
type Refusal struct {
	ID      uint32 // of the message, 0 when it has none that is valid
	Command string // as the message names it; "" when it names none or several
	Err     *realtime.Error
}

func (r *Refusal) Error() string { return r.Err.Error() }
func (r *Refusal) Unwrap() error { return r.Err }
