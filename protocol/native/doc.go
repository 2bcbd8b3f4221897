// Package native is the door through which Bellwire's own protocol comes in: it translates between the messages of
// package wire and the words of package session, in both framings, and nothing more.
//
//	n.Open(transport, native.JSON, hello)
//
// It keeps no state: [JSON] and [Proto] serve all sessions, concurrently.
package native
