package frame

import (
	"encoding/binary"
	"math/bits"
)

// Mask applies a mask key to b in place and returns the key turned to where the
// next bytes of the same payload continue (RFC 6455 5.3). Masking and unmasking
// are the same. The key is the four wire bytes, little-endian.
//
// Words of eight bytes, eight at a time, in plain Go run at memory speed; vector
// instructions gain nothing where a system call follows.
func Mask(b []byte, key uint32) uint32 {
	wide := uint64(key)<<32 | uint64(key)
	for len(b) >= 64 {
		block := b[:64]
		xor(block[0:8], wide)
		xor(block[8:16], wide)
		xor(block[16:24], wide)
		xor(block[24:32], wide)
		xor(block[32:40], wide)
		xor(block[40:48], wide)
		xor(block[48:56], wide)
		xor(block[56:64], wide)
		b = b[64:]
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

func xor(word []byte, wide uint64) {
	binary.LittleEndian.PutUint64(word, binary.LittleEndian.Uint64(word)^wide)
}
