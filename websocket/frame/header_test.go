package frame

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

// unhex reads bytes written in hexadecimal, with spaces.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var headerRows = []struct {
	rule string
	wire string
	head Header
}{
	{"RFC 6455 5.7: unmasked text of five bytes", "81 05", Header{Fin: true, Opcode: Text, Length: 5}},
	{"RFC 6455 5.7: masked text of five bytes", "81 85 37fa213d", Header{Fin: true, Opcode: Text, Masked: true, Key: 0x3d21fa37, Length: 5}},
	{"RFC 6455 5.7: first of two fragments", "01 03", Header{Opcode: Text, Length: 3}},
	{"RFC 6455 5.7: last of two fragments", "80 02", Header{Fin: true, Opcode: Continuation, Length: 2}},
	{"RFC 6455 5.7: ping", "89 05", Header{Fin: true, Opcode: Ping, Length: 5}},
	{"RFC 6455 5.7: 256 bytes", "82 7E 0100", Header{Fin: true, Opcode: Binary, Length: 256}},
	{"RFC 6455 5.7: 64 KiB", "82 7F 0000000000010000", Header{Fin: true, Opcode: Binary, Length: 65536}},
	{"largest 7-bit length", "82 7D", Header{Fin: true, Opcode: Binary, Length: 125}},
	{"smallest 16-bit length", "82 7E 007E", Header{Fin: true, Opcode: Binary, Length: 126}},
	{"largest 16-bit length", "82 7E FFFF", Header{Fin: true, Opcode: Binary, Length: 65535}},
	{"largest 64-bit length", "82 7F 7FFFFFFFFFFFFFFF", Header{Fin: true, Opcode: Binary, Length: 1<<63 - 1}},
	{"masked 16-bit length", "82 FE 0100 01020304", Header{Fin: true, Opcode: Binary, Masked: true, Key: 0x04030201, Length: 256}},
	{"masked 64-bit length", "82 FF 0000000000010000 FFEEDDCC", Header{Fin: true, Opcode: Binary, Masked: true, Key: 0xccddeeff, Length: 65536}},
	{"RSV1", "C1 00", Header{Fin: true, RSV1: true, Opcode: Text}},
	{"RSV2", "A1 00", Header{Fin: true, RSV2: true, Opcode: Text}},
	{"RSV3", "91 00", Header{Fin: true, RSV3: true, Opcode: Text}},
	{"close", "88 02", Header{Fin: true, Opcode: Close, Length: 2}},
	{"pong", "8A 00", Header{Fin: true, Opcode: Pong}},
}

func TestHeader(t *testing.T) {
	for _, row := range headerRows {
		t.Run(row.rule, func(t *testing.T) {
			wire := unhex(t, row.wire)
			if got := Append(nil, row.head); !bytes.Equal(got, wire) {
				t.Errorf("Append: got % X, want % X", got, wire)
			}
			if got, n := Decode(append(wire, 0xEE)); got != row.head || n != len(wire) {
				t.Errorf("Decode: got %+v of %d bytes, want %+v of %d", got, n, row.head, len(wire))
			}
			if got := HeaderBytes(wire[1]); got != len(wire) {
				t.Errorf("HeaderBytes: got %d, want %d", got, len(wire))
			}
			for cut := range len(wire) {
				if _, n := Decode(wire[:cut]); n != 0 {
					t.Errorf("%d of %d bytes: took %d, want to hear of more", cut, len(wire), n)
				}
			}
		})
	}
}

// decodeNaively is a second reading of RFC 6455 5.2, bit by bit.
func decodeNaively(b []byte) (fin bool, rsv byte, opcode byte, masked bool, length uint64, key [4]byte, n int) {
	if len(b) < 2 {
		return
	}
	fin, rsv, opcode, masked = b[0]/128 == 1, b[0]/16%8, b[0]%16, b[1]/128 == 1
	rest, extended := b[2:], 0
	switch b[1] % 128 {
	case 126:
		extended = 2
	case 127:
		extended = 8
	default:
		length = uint64(b[1] % 128)
	}
	if len(rest) < extended {
		return
	}
	for _, c := range rest[:extended] {
		length = length*256 + uint64(c)
	}
	rest = rest[extended:]
	if masked {
		if copy(key[:], rest) < 4 {
			return
		}
		rest = rest[4:]
	}
	return fin, rsv, opcode, masked, length, key, len(b) - len(rest)
}

func FuzzHeader(f *testing.F) {
	for _, row := range headerRows {
		f.Add(unhex(f, row.wire))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, n := Decode(b)
		fin, rsv, opcode, masked, length, key, want := decodeNaively(b)
		if n != want {
			t.Fatalf("took %d bytes, want %d", n, want)
		}
		if n == 0 {
			return
		}
		var gotRSV byte
		for i, bit := range []bool{h.RSV3, h.RSV2, h.RSV1} {
			if bit {
				gotRSV |= 1 << i
			}
		}
		gotKey := [4]byte{byte(h.Key), byte(h.Key >> 8), byte(h.Key >> 16), byte(h.Key >> 24)}
		if h.Fin != fin || gotRSV != rsv || byte(h.Opcode) != opcode || h.Masked != masked || h.Length != length || gotKey != key {
			t.Fatalf("got %+v", h)
		}
		again := Append(nil, h)
		if minimal := CheckLength(b[1], h.Length) != ErrLengthForm; minimal != bytes.Equal(again, b[:n]) {
			t.Fatalf("minimal %v, but % X becomes % X", minimal, b[:n], again)
		}
	})
}
