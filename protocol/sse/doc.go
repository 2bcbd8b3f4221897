// Package sse is the door to Server-Sent Events (WHATWG HTML, 9.2): it makes exactly one event of each message of a textual
// protocol that it is given, and knows what an event's id says.
//
//	p := sse.New(native.JSON, draw)
//	p.EncodePublication(publication) // "id: chat:lobby|kf3|41\ndata: {…}\n\n"
//
// It is no transport: who holds the response, keeps it alive with comments and takes the requests of the other direction
// stands elsewhere, and hands the body of such a request to [Protocol.Next].
//
// # Ids
//
// An id is one or more parts, separated by one space, each the position of a channel: channel|epoch|offset. Neither sign can
// stand in a name (NAM-1) or an epoch (POS-1). An event that is shared by many lines bears its own position alone. An
// EventSource keeps only the last id, so a line with several channels rewrites the ids of its events by its [Positions];
// when it comes back, [ParseID] reads what it holds.
//
// # Concurrency
//
// A [Protocol] is immutable and serves all sessions, concurrently. A [Positions] belongs to one line, and one goroutine at
// a time uses it.
//
// # Invariants
//
// One message in is one event out, whatever bytes the message has. No id goes out that ParseID would not read, but the empty
// one: of a line whose channels are more than an id can name ([IDBytes], [IDBytesMax]).
package sse
