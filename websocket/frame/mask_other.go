//go:build !amd64 || race

package frame

// xorWords applies wide to all of b, whose length is a multiple of eight bytes. With the race detector it is used
// everywhere: of assembly nothing is seen.
func xorWords(b []byte, wide uint64) {
	for len(b) >= blockBytes {
		block := b[:blockBytes]
		xor(block[0:8], wide)
		xor(block[8:16], wide)
		xor(block[16:24], wide)
		xor(block[24:32], wide)
		xor(block[32:40], wide)
		xor(block[40:48], wide)
		xor(block[48:56], wide)
		xor(block[56:64], wide)
		b = b[blockBytes:]
	}
	for len(b) >= 8 {
		xor(b[:8], wide)
		b = b[8:]
	}
}
