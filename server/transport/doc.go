// Package transport brings lines to the node: WebSocket at /ws, Server-Sent Events at /sse, and what every HTTP request has to pass before it.
//
// [WebSocket] is a handler. It checks the request, asks the node for admission and upgrades. From then on a loop of the
// reactor serves the line, together with many others (carried.go), which on plain sockets it has accepted itself (door.go); where the reactor cannot, for a line in TLS or on a system
// other than Linux, a goroutine reads it (websocket.go, line.go). A line is the node's session.Transport: it joins the
// messages of one flush to WebSocket messages.
//
// [Events] is the other handler, of Server-Sent Events at /sse. The same loops serve its lines on plain sockets (eventline.go); in TLS and
// over HTTP/2 the goroutine of the request does (eventstream.go). How their answer begins is decided in prelude.go, and what
// all lines of a loop have in common is in carriage.go.
//
// [Guard] bounds the head of a request, [Admission] counts connections that have not proved anything yet for each
// address, and [Proxies] finds out whose address it is.
//
// It decides nothing about tokens and channels, and knows no bytes of any protocol but the ids of events.
//
// Concurrency: a loop calls the functions of its lines one after the other. Elsewhere one goroutine reads each line, started
// and awaited by the WebSocket handler's group, and writes come from the node. After an upgrade the HTTP server's own goroutine is gone, and with it its
// buffers; that of an event line which no loop serves stays.
package transport
