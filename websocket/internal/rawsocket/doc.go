// Package rawsocket makes the system calls on a socket that both drivers of the WebSocket engine are made of: they
// never block, and cost as little as the system lets them.
//
// What it is not: a socket. It owns no descriptor, waits for nothing and remembers nothing; whoever calls keeps the
// descriptor open meanwhile.
//
// Receive and Send return EAGAIN where the system would have to wait, and never EINTR. All functions may be called
// concurrently. A buffer must hold at least one byte.
package rawsocket
