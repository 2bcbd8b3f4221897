// Package endpoint is one side of a WebSocket connection as a state machine:
// bytes in, events and bytes out, time as a value. It opens nothing, reads no
// clock, starts no goroutine and holds no lock; a driver owns the socket.
//
// The contract with the driver:
//
//  1. One owner at a time.
//  2. Give input with Receive (ReceiveEOF at its end, Tick when the deadline has
//     passed), then call Next until it returns no event. Output may be taken after
//     any call, and must be written in that order; before the owner acts on
//     Closed it takes and writes the last of it. Then ask Deadline.
//  3. Bytes inside an event, and the input given to Receive, belong to the
//     endpoint until the next call. Input is unmasked in place. After Next has
//     returned no event the input is the owner's again.
//     A large message that was compressed takes several calls, between which the owner may do what cannot
//     wait (Inflating); Hold gives the input back before that.
//  4. Cutting the input at any point changes nothing: the same bytes in any
//     chunks give the same messages.
//
// # Memory
//
// An endpoint at rest is one small struct and holds no buffer: a message that
// lies whole in the input is handed out where it lies, output gathers in a buffer
// that the owner lends, and only a message that has come in part, or in
// fragments, is copied, into memory that grows with the bytes that came and not
// with those declared.
//
// # Invariants
//
// After Closed no event and no output follows. Nothing is sent after a close
// frame. A message is handed out whole or not at all, unless the owner
// asks for parts with NextPart.
package endpoint
