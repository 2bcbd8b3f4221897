// Command echoserver sends every message back. Any WebSocket conformance or load
// suite can be pointed at it:
//
//	echoserver --listen 127.0.0.1:9001 --compression takeover --message-limit 16777216
//
// With --driver reactor a few goroutines serve all connections (Linux; those over TLS and
// other systems keep a goroutine for each). It listens on loopback and lets any web page connect, since an echo gives
// nothing away. Stop it with an interrupt.
package main
