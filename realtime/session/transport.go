package session

import (
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/hub"
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

	// Name is for metrics: "websocket" or "sse".
	Name() string
}

// Carried is a Transport whose line is served by a carrier, the loop of a reactor, together with many others. Nothing of
// it blocks: Write takes everything that it is given. Write, Ready, Blocked and Pass are called on the carrier alone.
type Carried interface {
	Transport

	// Carrier is the one that serves the line.
	Carrier() hub.Carrier

	// Wake has the carrier call Flush of the node's connection soon. Any goroutine may call it.
	Wake()

	// Blocked reports whether something waits for the peer. When nothing does any more, Flush is called.
	Blocked() bool

	// Ready reports whether the line may be passed something: it is not blocked, and was not passed much already.
	Ready() bool

	// Pass sends a frame of the carrier's present task.
	Pass(frame hub.Frame)
}
