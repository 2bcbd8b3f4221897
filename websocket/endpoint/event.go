package endpoint

import "github.com/bellwire/bellwire/websocket/frame"

// Kind says what an event is.
type Kind uint8

// The kinds of event.
const (
	None      Kind = iota // more input is needed
	Message               // a whole message: Opcode, Payload
	Part                  // a part of one: Opcode, Payload, First, Final; only from NextPart
	Inflating             // a message takes longer to inflate: First, for its first such event; Next goes on with it
	Ping                  // a ping came and its pong is in the output
	Pong                  // a pong came: Payload
	Closed                // the last event: Status, Payload (the reason), Violation
)

// Event is what the peer did. Payload is valid until the next call.
type Event struct {
	Kind    Kind
	Opcode  frame.Opcode
	First   bool
	Final   bool
	Status  frame.Status
	Payload []byte

	// Violation is set on Closed where this side gave the peer up, and says why;
	// nil where the peer closed, or its bytes ended (StatusAbnormal).
	Violation *frame.Violation
}

// The reasons to give a peer up that are not in the header of a frame.
var (
	ErrUTF8         = &frame.Violation{Status: frame.StatusPayload, Clause: "RFC 6455 8.1", Rule: "a text message must be UTF-8"}
	ErrMessageSize  = &frame.Violation{Status: frame.StatusTooBig, Clause: "RFC 6455 10.4", Rule: "the message is larger than this side accepts"}
	ErrFragments    = &frame.Violation{Status: frame.StatusPolicy, Clause: "RFC 6455 10.4", Rule: "the message has more fragments than this side accepts"}
	ErrControlFlood = &frame.Violation{Status: frame.StatusPolicy, Clause: "RFC 6455 10.4", Rule: "pings and pongs come faster than this side accepts"}
	ErrDeflate      = &frame.Violation{Status: frame.StatusPayload, Clause: "RFC 7692 7.2.2", Rule: "a compressed message must be DEFLATE data"}
	ErrSilent       = &frame.Violation{Status: frame.StatusAbnormal, Clause: "RFC 6455 5.5.2", Rule: "the peer did not answer a ping in time"}
	ErrCloseTimeout = &frame.Violation{Status: frame.StatusAbnormal, Clause: "RFC 6455 7.1.1", Rule: "the peer did not answer a close frame in time"}
)
