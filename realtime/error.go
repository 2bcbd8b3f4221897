package realtime

import (
	"errors"
	"fmt"
)

// Error is a refusal or failure with its documented code (PROTOCOL.md section 9). Message is for people, may be shown to
// the peer, says what to do and carries no internals.
type Error struct {
	Code    Code
	Message string
}

// NewError returns an *Error. With an empty message the code's own meaning is used.
func NewError(code Code, message string) *Error {
	if message == "" {
		message = code.Meaning()
	}
	return &Error{Code: code, Message: message}
}

// Errorf is NewError with a format.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

func (e *Error) Error() string { return fmt.Sprintf("%s (%d): %s", e.Code.Name(), e.Code, e.Message) }

// Is makes errors.Is(err, &Error{Code: c}) compare by code.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Code == e.Code
}

// AsError returns err as an *Error. What is not one becomes CodeInternal with a constant text, so that internals never
// reach a peer; the caller logs err itself.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: CodeInternal, Message: CodeInternal.Meaning()}
}

// CodeOf returns the code of err, 0 for nil and CodeInternal for what has none.
func CodeOf(err error) Code {
	if err == nil {
		return 0
	}
	return AsError(err).Code
}
