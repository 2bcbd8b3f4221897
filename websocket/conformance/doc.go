// Package conformance holds one list of rules and plays it against every way to run the engine: as a client and
// as a server, under the goroutine driver (package websocket) and, as a server, under the reactor.
//
// It has tests only:
//
//   - the 517 cases of the public conformance suite, as literal conversations (autobahn_*_test.go);
//   - the catalogues of bad handshakes, frames, compression and flow (*_catalogue_test.go);
//   - the ways in which a connection closes, and a line that is cut at every byte (close_test.go, cut_test.go);
//   - that no byte of one connection reaches another, and that connections leave nothing (isolation_test.go, churn_test.go).
//
// A row says what a peer sends and what it must then receive, and never which driver it talks to; side_test.go opens
// the engines. The verdicts are stricter than the public suite's: who fails a peer says so with a close
// frame and the right code, and then ends the line without resetting it.
package conformance
