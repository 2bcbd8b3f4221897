// Package frame knows the bytes of the WebSocket protocol (RFC 6455 5): frame
// headers and the rules they obey, the mask, the payload of a close frame, and
// UTF-8 that arrives in pieces.
//
// Values in, values out: nothing here holds a connection, allocates for a peer
// or remembers anything between calls, except [UTF8], which is three bytes.
// Everything is safe for concurrent use on separate values.
//
// A decoder answers "need more" on every prefix of valid input, and a rule
// that is broken is answered with a [Violation] that names the rule, its clause and
// the status code of the close frame it calls for.
package frame
