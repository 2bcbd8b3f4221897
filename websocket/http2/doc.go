// Package http2 opens WebSocket connections on streams of HTTP/2 (RFC 8441), and says
// whether servers of net/http in this process offer them.
//
//	client := &http2.Client{TLSConfig: config}
//	defer client.Close()
//	conn, _, err := client.Dial(ctx, "wss://example.com/line", nil)
//
// What comes out is a *websocket.Conn like any other. Streams to one server share a TCP
// connection: one handshake of TCP and TLS for all of them, and when it breaks all of them end.
//
// # What it is not
//
// It is no HTTP client: it sends nothing but extended CONNECTs. It is built on the framer
// and the header compression of golang.org/x/net, since the client of net/http, by which that of
// golang.org/x/net works from Go 1.27 on, refuses the field ":protocol".
//
// A server needs nothing of it: websocket.Accept takes an extended CONNECT where net/http
// hands one over. See docs/websocket/HTTP2.md.
//
// # Concurrency
//
// A Client may be used by many goroutines. Each connection has one goroutine, which reads; it
// ends with the last stream, and Close waits for it.
//
// # Invariants
//
// What a server can make a stream hold is bounded by its window, windowBytes, and by headBytesMax.
// A connection that takes no bytes for writeTimeout is given up with all its streams.
package http2
