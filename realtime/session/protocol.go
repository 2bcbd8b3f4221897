package session

import (
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/hub"
)

// Protocol gives the bytes of a session their meaning. One value serves all sessions that speak it, concurrently.
type Protocol interface {
	// Name and the two encodings that many sessions share.
	hub.Encoder

	// Next reads the first request of one message of the transport, and returns what of the message follows it: nothing after
	// the last. A request that is wrong comes with its Err and the rest follows; an error is an *realtime.Error with the code
	// that ends the connection, also where the message is empty. The request shares nothing with the message.
	Next(message []byte, binary bool) (r Request, rest []byte, err error)

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
