//go:build race

package websocket

// poison fills memory that was given back, in builds with the race detector, so
// that whoever still reads it shows.
func poison(memory []byte) {
	for i := range memory {
		memory[i] = 0xDB
	}
}
