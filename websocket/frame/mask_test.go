package frame

import (
	"bytes"
	"fmt"
	"testing"
)

func TestMaskOfRFC(t *testing.T) {
	// RFC 6455 5.7: a masked "Hello".
	payload := unhex(t, "7f 9f 4d 51 58")
	Mask(payload, 0x3d21fa37)
	if string(payload) != "Hello" {
		t.Errorf("got %q", payload)
	}
}

func TestMaskAgainstBytes(t *testing.T) {
	key := [4]byte{0x01, 0x82, 0xF3, 0x74}
	const word = 0x74F38201
	for length := range 300 {
		plain := make([]byte, length)
		want := make([]byte, length)
		for i := range plain {
			plain[i] = byte(i*7 + length)
			want[i] = plain[i] ^ key[i%4]
		}
		for cut := 0; cut <= length; cut++ {
			got := bytes.Clone(plain)
			Mask(got[cut:], Mask(got[:cut], word))
			if !bytes.Equal(got, want) {
				t.Fatalf("%d bytes cut at %d differ", length, cut)
			}
		}
	}
}

// TestMaskTouchesNothingElse masks at every distance from a cache line, with other bytes on both sides.
func TestMaskTouchesNothingElse(t *testing.T) {
	const word = 0x74F38201
	room := make([]byte, 512)
	want := make([]byte, len(room))
	for start := range 64 {
		for length := range 400 {
			clear(room)
			clear(want)
			for i := range length {
				want[start+i] = byte(uint32(word) >> (8 * (i % 4)))
			}
			Mask(room[start:start+length], word)
			if !bytes.Equal(room, want) {
				t.Fatalf("%d bytes at %d: got\n%x\nwant\n%x", length, start, room, want)
			}
		}
	}
}

func BenchmarkMask(b *testing.B) {
	for _, size := range []int{16, 128, 4096, 1 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			payload := make([]byte, size)
			b.SetBytes(int64(size))
			for b.Loop() {
				Mask(payload, 0x74F38201)
			}
		})
	}
}
