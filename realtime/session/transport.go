package session

import (
	"github.com/bellwire/bellwire/realtime"
)

// Transport is one line to one client.
type Transport interface {
	// Write sends messages of the session's protocol. Each is self-delimiting: the transport may join them to one
	// WebSocket message or several, but not change their order. It is called by one goroutine at a time and may block up
	// to the transport's write timeout. After an error the line is dead. The slices belong to the caller again when it
	// returns.
	Write(messages [][]byte) error

	// Close ends the line with a code: one of the catalogue or a standard WebSocket code. It never blocks and may be
	// called at any time, also during a Write, which then fails. Calls after the first do nothing.
	Close(code realtime.Code, reason string)

	// Name is for metrics: "websocket".
	Name() string
}
