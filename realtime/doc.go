// Package realtime is the vocabulary of Bellwire: what a channel, a publication, a position, a member and a code are.
//
// It holds types and the checks that belong to them, and nothing that moves: no socket, no HTTP, no wire format, no
// clock, no lock. Every other package below realtime, every backend and every protocol speaks in these words.
//
// Values are plain and may be copied. Byte slices inside them are shared and must not be changed by anybody once the
// value has been handed on: one encoding of one publication serves every subscriber.
package realtime
