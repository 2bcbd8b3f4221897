// Package modelserver is a Bellwire server as a plain value, for tests of the client: messages in, messages out, no
// socket, goroutine or clock.
//
// It follows PROTOCOL.md where a client can tell the difference: logs with epochs, resume, idempotency, state with
// snapshots in pages, presence, patterns. It knows no namespaces, tokens or limits; everything is allowed everywhere, and
// a Restart forgets everything, as the memory backend does.
//
//	server := modelserver.New()
//	conn := server.Open()
//	conn.Receive(&message)
//	for _, answer := range conn.Take() { ... }
//
// Concurrency: one owner at a time.
package modelserver
