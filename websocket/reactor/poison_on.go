//go:build race

package reactor

// poisonByte fills memory that was given back, in builds with the race detector,
// so that whoever still reads it shows.
const poisonByte = 0xDB

func poison(memory []byte) {
	if len(memory) == 0 {
		return
	}
	memory[0] = poisonByte
	for n := 1; n < len(memory); n *= 2 {
		copy(memory[n:], memory[:n])
	}
}
