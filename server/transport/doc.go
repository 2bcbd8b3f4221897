// Package transport brings lines to the node: WebSocket at /ws, and what every HTTP request has to pass before it.
//
// [WebSocket] is a handler. It checks the request, asks the node for admission, upgrades, and then reads messages into
// the node's connection until the line ends. A line is the node's session.Transport: it joins the messages of one flush
// to WebSocket messages.
//
// [Guard] bounds the head of a request, [Admission] counts connections that have not proved anything yet for each
// address, and [Proxies] finds out whose address it is.
//
// It decides nothing about tokens and channels, and knows no bytes of any protocol.
//
// Concurrency: one goroutine reads each line, started and awaited by the WebSocket handler's group; writes come from the
// node. After an upgrade the HTTP server's own goroutine is gone, and with it its buffers.
package transport
