//go:build !race

package frame

// xorWords applies wide to all of b, whose length is a multiple of eight bytes. docs/decisions/0007 says why it is not Go.
//
//go:noescape
func xorWords(b []byte, wide uint64)
