// Package interop holds the engine against independent implementations of the protocol. It is tests alone.
//
// Each peer plays both roles against the goroutine driver, and the client's against the reactor: without
// compression, without context takeover, with it, and with a small window, as far as the peer knows them. In
// either role the peer echoes, and does what messages that begin with "do:" ask it to do: send a message in fragments, ping,
// close. What it saw of the handshake and of the end of the connection it tells a witness.
//
// The peers written in Go (gorilla, coder, gws) run with every `go test`, up to 64 KiB with the race detector and 16 MiB without. Those of other languages (ws for Node.js,
// websockets for Python) are programs beside this file, pinned by package-lock.json and requirements.txt; `make interop`
// installs them and names them in BELLWIRE_INTEROP, a list of "node" and "python".
package interop
