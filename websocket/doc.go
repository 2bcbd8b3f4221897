// Package websocket speaks the WebSocket protocol (RFC 6455) with compression
// (RFC 7692), as server and as client.
//
// Accept turns an HTTP request into a [Conn], Dial opens one to a server:
//
//	conn, err := websocket.Accept(w, r, nil)
//	if err != nil {
//		return // the refusal has been written already
//	}
//	defer conn.CloseNow()
//	for {
//		kind, message, err := conn.Read(r.Context())
//		if err != nil {
//			return // websocket.CloseStatus(err) says how the peer left
//		}
//		if err := conn.Write(r.Context(), kind, message); err != nil {
//			return
//		}
//	}
//
// A loop over messages that answers them is quicker as [Conn.Serve]: the answers to
// all that came together leave together.
//
// # What it is
//
// This package is a driver: it owns the socket and asks the clock. Every rule
// of the protocol lives below it, in packages without I/O: frame (headers,
// masks, close payloads, UTF-8), handshake (the opening request and answer),
// deflate (permessage-deflate) and endpoint (one side of a connection as a
// state machine).
//
// # Concurrency
//
// All methods of a Conn may be called concurrently, except that Read, ReadInto,
// Reader and the reader it returned are for one goroutine at a time. Messages of
// concurrent writers leave whole, in the order of the calls, and those that
// gather while the socket is busy leave together in one system call.
//
// A message that is written has been given to the system when Write returns: nothing is
// held back in the hope of more. Only what is sent through a Turn gathers, and only
// while Serve has messages in hand.
//
// A Conn starts no goroutine of its own, except one that reads a stream of HTTP/2. Pings, pongs and the peer's close are
// handled while somebody reads, so keep reading: a connection nobody reads
// neither answers pings nor notices that its peer has left.
//
// # Limits
//
// Everything a peer can make grow has a limit with a default, see [Limits]. A
// limit of zero means the default, never "unlimited".
package websocket
