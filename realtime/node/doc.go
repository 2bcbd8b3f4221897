// Package node is one server process as features, transports and the API see it: it ties sessions, the hub, the backend
// and authority together.
//
// A transport opens a connection with Open, hands it what it reads with Receive, and tells Closed when the line is gone.
// The application's backend (the HTTP API) calls Publish, History and the other methods, with full authority.
// Everything a client asks passes one function that decides whether it may (AUT-1).
//
// It opens no socket, reads no configuration and knows no wire format.
//
// A line that a carrier serves, together with many others, must never make it wait: the carrier calls Opened, TryReceive
// and Flush in place of Receive.
//
// Concurrency: all methods of Node and Connection may be called concurrently, except Receive, which belongs to the one
// goroutine that reads the line, and those of the carrier, which are its own. A connection that has nothing to do is memory only: no
// goroutine, no timer. While it has something to write, one goroutine writes it, or its carrier.
//
// Lock order: the node's index, then nothing; a connection's lock is taken under the hub's and never the other way
// round, and no lock is held while a backend, a transport or a handler is called.
package node
