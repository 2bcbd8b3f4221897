// Package handshake is the opening of a WebSocket connection (RFC 6455 4) as pure
// checks on the headers of the request and its answer, for both roles: who may
// connect, which subprotocol is chosen, which extensions were offered.
//
// It reads and writes no socket. A server turns a [Request] into an [Accepted] or a
// [Refusal] by its [Policy]; a client makes a key, and checks the answer to it.
// Every field a peer can fill has a limit, and each byte is looked at once.
// Everything is safe for concurrent use.
package handshake
