package frame

import (
	"encoding/binary"
	"math/bits"
)

// Mask applies a mask key to b in place and returns the key turned to where the
// next bytes of the same payload continue (RFC 6455 5.3). Masking and unmasking
// are the same. The key is the four wire bytes, little-endian.
func Mask(b []byte, key uint32) uint32 {
	wide := uint64(key)<<32 | uint64(key)
	if len(b) >= blockBytes {
		words := len(b) &^ 7
		xorWords(b[:words], wide)
		b = b[words:]
	}
	for len(b) >= 8 {
		xor(b[:8], wide)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= byte(key)
		key = bits.RotateLeft32(key, -8)
	}
	return key
}

// blockBytes is what xorWords takes at a time. What is shorter is done before it would have been called.
const blockBytes = 64

func xor(word []byte, wide uint64) {
	binary.LittleEndian.PutUint64(word, binary.LittleEndian.Uint64(word)^wide)
}
