package websocket

import (
	"strconv"

	"github.com/bellwire/bellwire/websocket/frame"
)

// HandshakeError is why a handshake ended without a connection.
//
// From Accept it says what was answered; from Dial it says what the server
// answered (Status is 0 where there was no readable answer).
type HandshakeError struct {
	Status int    // HTTP status
	Reason string // what was wrong, for logs
	Err    error  // the cause underneath, where there is one
}

// Error gives the reason and the status.
func (e *HandshakeError) Error() string {
	text := "websocket: handshake: " + e.Reason
	if e.Status != 0 {
		text += " (HTTP status " + strconv.Itoa(e.Status) + ")"
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *HandshakeError) Unwrap() error { return e.Err }

// usageError is a call that cannot be done as asked; the connection lives on.
type usageError struct{ err error }

func (e *usageError) Error() string { return "websocket: " + e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// lostError is a line that ended without a close frame.
type lostError struct{ cause error }

func (e *lostError) Error() string {
	return "websocket: connection lost: " + e.cause.Error()
}

// Unwrap makes it a CloseError with StatusAbnormalClosure too.
func (e *lostError) Unwrap() []error {
	return []error{&CloseError{Code: StatusAbnormalClosure}, e.cause}
}

// violationError is a connection that this side gave up, since the peer broke a
// rule or went beyond a limit.
type violationError struct {
	violation *frame.Violation
	closed    *CloseError
}

func (e *violationError) Error() string { return e.violation.Error() }

// Unwrap makes it a CloseError with the code that was sent.
func (e *violationError) Unwrap() []error { return []error{e.violation, e.closed} }
