// Package reactor serves very many WebSocket connections on a few goroutines.
//
//	r, err := reactor.New(reactor.Config{Handler: reactor.Handler{
//		Message: func(t *reactor.Turn, kind websocket.MessageType, payload []byte) {
//			t.Send(kind, payload)
//		},
//	}})
//	http.HandleFunc("/ws", func(w http.ResponseWriter, req *http.Request) {
//		r.Upgrade(w, req, nil, nil)
//	})
//
// # What it is
//
// A second driver around endpoint, the state machine of a connection, beside the
// goroutine driver of package websocket: the same protocol, limits and errors. A
// few loops, one a processor, own all connections; what a connection costs at rest is one entry
// in a table. It needs Linux and plain sockets; for everything else, and for code that wants
// to block while it reads, there is websocket.Conn.
//
// Besides WebSockets it serves streams, whose peers only listen: answers of HTTP that last ([Reactor.StreamsOf]).
//
// # Concurrency
//
// Handler functions are called on the loop that owns the connection, one at a time, and
// must not block: they hold up all connections of that loop. Turn.HandOff runs what may block
// elsewhere. A *Turn is valid during the call only; Conn is for all goroutines. The payload of a
// message is valid until Message returns.
//
// # How it is fast
//
// The number of system calls decides (one send is 70 % of the cost of an echo), and
// how the loop waits. Each trick has its measured reason beside it, as a ratio to an epoll
// loop in C that does no WebSocket work:
//
//   - the wait is nested in that of Go's runtime (loop.run: 1.01 against 1.30)
//   - one large buffer a loop is read into; all replies to a read leave in one call (line.go, readable and
//     flush: 1.1 with sixteen messages at a time, where one write a message costs 14 to 40)
//   - sendto by raw system call (rawsocket, Send: 0.96 of write, where net.Conn takes 1.13)
//   - the descriptor is taken over, so that nothing of net is left (system_linux.go, takeOver: 0.9 kB less)
//   - a fan-out is written once for each loop, marks its members, and leaves with what follows it, from a dense list and without a
//     second look at each line (fanout.go: 0.02 of it)
//   - connections can be accepted and greeted on the loops, without an HTTP server (door.go: a third of a new connection)
//   - no timers: a wheel asks a connection once an interval (wheel.go)
//
// # Fairness and limits
//
// One connection is read once a turn. While more than 64 KiB of output wait for a peer,
// nothing more is read from it, so that it is slowed down by its own socket; beyond
// Config.QueueBytesMax, or if it takes nothing for the write timeout, it ends with ErrSlow. A long fan-out
// lets other work in between. Calls from other goroutines fail with ErrBusy while a loop is far behind.
// Of a compressed message 64 KiB are inflated at once; what takes longer waits in a line of its own while the loop serves the
// others, and is inflated one message at a time (inflate.go). A thousand bombs under a limit of 16 MiB kept a loop busy for
// 46 s; now nobody waits longer than 0.1 s for them.
//
// # Invariants
//
// For each connection Open is called first and Closed last, each once. A descriptor is
// closed by its loop only. Between two turns no line holds a buffer unless something is unfinished.
package reactor
