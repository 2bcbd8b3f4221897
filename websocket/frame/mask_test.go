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
