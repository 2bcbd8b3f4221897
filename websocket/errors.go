package websocket

import "strconv"

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
