// Command peer is a real-time server that others have written, for measuring it.
//
//	peer centrifuge         the library of Centrifugo, as its examples configure it, with subscribers by WebSocket or Server-Sent Events
//	peer centrifuge-tuned   the same with what its documentation offers against cost: 20 ms write delay driven by a timer, pooled buffers,
//	                        commands off the read loop
//	peer nats               an embedded NATS server with its own WebSocket
//
// It prints "listening PORT" or "listening PORT HTTPPORT" and takes commands on standard input, each answered by "ok": gc collects garbage
// and gives memory back to the system.
package main
