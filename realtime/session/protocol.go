package session

import (
	"iter"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/hub"
)

// Protocol gives the bytes of a session their meaning. One value serves all sessions that speak it, concurrently.
type Protocol interface {
	// Name and the two encodings that many sessions share.
	hub.Encoder

	// Requests reads one message of the transport. Each command is decoded when it is asked for. A request that is wrong
	// comes with its Err and the rest follows; an error is an *realtime.Error with the code that ends the connection,
	// and is the last of the sequence. The message may change after the sequence has ended.
	Requests(message []byte, binary bool) iter.Seq2[Request, error]

	// Encode returns one self-delimiting message. id is that of the command it answers, 0 for a push.
	Encode(id uint32, message Message) []byte
}

// Request is one command of a client.
type Request struct {
	ID      uint32  // 0: no reply when it succeeds (MSG-3)
	Command Command // nil when Err is set

	// Name is the command's own, as it is told in errors without id; "" when there is none.
	Name string
	// Err refuses the request before it has been looked at: it could be decoded, but is wrong (MSG-5).
	Err *realtime.Error
}
