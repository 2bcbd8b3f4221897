// Package websockettest helps to test what speaks WebSocket, without a network:
// [Lines] is a pair of connected in-memory lines, [Pipe] a pair of connections
// on top of them, [Sockets] a pair over TCP for what only sockets do, and [Peer] speaks in literal frames, right and wrong ones, as a
// server or a client would hardly do by itself.
//
// Nothing here sleeps or depends on the number of a port. Waiting ends by the deadlines of
// the lines, which follow the clock of testing/synctest where that is used.
package websockettest
