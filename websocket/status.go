package websocket

import (
	"errors"
	"strconv"
)

// MessageType says what the payload of a message is.
type MessageType uint8

// The two kinds of message; the values are the opcodes of RFC 6455 5.2.
const (
	TextMessage   MessageType = 1 // UTF-8 text, checked on both ways
	BinaryMessage MessageType = 2 // any bytes
)

// String names the type for logs.
func (t MessageType) String() string {
	switch t {
	case TextMessage:
		return "text"
	case BinaryMessage:
		return "binary"
	}
	return "message type " + strconv.Itoa(int(t))
}

// StatusCode says why a connection was closed (RFC 6455 7.4). Applications use
// 4000 to 4999, libraries and frameworks 3000 to 3999.
type StatusCode uint16

// The registered codes. Those marked "never sent" only report what happened.
const (
	StatusNormalClosure       StatusCode = 1000
	StatusGoingAway           StatusCode = 1001
	StatusProtocolError       StatusCode = 1002
	StatusUnsupportedData     StatusCode = 1003
	StatusNoStatusReceived    StatusCode = 1005 // never sent: a close frame without a code
	StatusAbnormalClosure     StatusCode = 1006 // never sent: the line ended without a close frame
	StatusInvalidPayload      StatusCode = 1007
	StatusPolicyViolation     StatusCode = 1008
	StatusMessageTooBig       StatusCode = 1009
	StatusMandatoryExtension  StatusCode = 1010
	StatusInternalError       StatusCode = 1011
	StatusServiceRestart      StatusCode = 1012
	StatusTryAgainLater       StatusCode = 1013
	StatusBadGateway          StatusCode = 1014
	StatusTLSHandshakeFailure StatusCode = 1015 // never sent
)

// CloseError is how a connection ended: with the code and reason of the close
// frame that ended it, or with StatusAbnormalClosure where none came.
type CloseError struct {
	Code   StatusCode
	Reason string // from the peer: at most 123 bytes of UTF-8, not to be trusted
}

// Error names the code and quotes the reason.
func (e *CloseError) Error() string {
	text := "websocket: closed with status " + strconv.Itoa(int(e.Code))
	if e.Reason != "" {
		text += " " + strconv.Quote(e.Reason)
	}
	return text
}

// CloseStatus returns the status code an error of a Conn carries, and 0 where
// it carries none (a nil error, the end of a context, a closed Conn).
func CloseStatus(err error) StatusCode {
	var closed *CloseError
	if errors.As(err, &closed) {
		return closed.Code
	}
	return 0
}
