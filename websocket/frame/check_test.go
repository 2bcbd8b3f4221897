package frame

import (
	"encoding/binary"
	"testing"
)

func TestRules(t *testing.T) {
	server := Receiver{Side: Server}
	rows := []struct {
		rule          string
		receiver      Receiver
		first, second byte
		want          *Violation
	}{
		{"5.1 a client masks", server, 0x81, 0x05, ErrUnmasked},
		{"5.1 a server does not mask", Receiver{Side: Client}, 0x81, 0x85, ErrMasked},
		{"5.2 RSV1 without extension", server, 0xC1, 0x80, ErrRSV1},
		{"5.2 RSV1 with extension", Receiver{Side: Server, Deflate: true}, 0xC1, 0x80, nil},
		{"5.2 RSV2", server, 0xA1, 0x80, ErrRSV2},
		{"5.2 RSV3", server, 0x91, 0x80, ErrRSV3},
		{"7692 RSV1 on a ping", Receiver{Side: Server, Deflate: true}, 0xC9, 0x80, ErrRSV1Control},
		{"7692 RSV1 on a continuation", Receiver{Side: Server, Deflate: true, Message: Text}, 0xC0, 0x80, ErrRSV1Continue},
		{"5.2 opcode 3", server, 0x83, 0x80, ErrOpcode},
		{"5.2 opcode 7", server, 0x87, 0x80, ErrOpcode},
		{"5.2 opcode 11", server, 0x8B, 0x80, ErrOpcode},
		{"5.2 opcode 15", server, 0x8F, 0x80, ErrOpcode},
		{"5.5 fragmented ping", server, 0x09, 0x80, ErrControlFin},
		{"5.5 ping of 125 bytes", server, 0x89, 0xFD, nil},
		{"5.5 ping of a 16-bit length", server, 0x89, 0xFE, ErrControlSize},
		{"5.5 close of a 64-bit length", server, 0x88, 0xFF, ErrControlSize},
		{"5.4 continuation of nothing", server, 0x80, 0x80, ErrContinuation},
		{"5.4 continuation of a text", Receiver{Side: Server, Message: Text}, 0x80, 0x80, nil},
		{"5.4 text inside a text", Receiver{Side: Server, Message: Text}, 0x81, 0x80, ErrInterleaved},
		{"5.4 ping inside a text", Receiver{Side: Server, Message: Text}, 0x89, 0x80, nil},
	}
	for _, row := range rows {
		if got := row.receiver.Check(row.first, row.second); got != row.want {
			t.Errorf("%s: got %v, want %v", row.rule, got, row.want)
		}
	}
}

// allowed is the model: RFC 6455 5.2 to 5.5 and RFC 7692 6.1 said the other way
// round, as what a frame must be.
func allowed(first, second byte, r Receiver) bool {
	fin, rsv1, opcode := first>>7 == 1, first>>6&1 == 1, int(first&15)
	known := opcode <= 2 || opcode >= 8 && opcode <= 10
	plain := first&0x30 == 0
	compressed := !rsv1 || r.Deflate && (opcode == 1 || opcode == 2)
	whole := opcode < 8 || fin && second&0x7f < 126
	inOrder := opcode >= 8 || (opcode == 0) == (r.Message != Continuation)
	masked := (second >= 128) == (r.Side == Server)
	return known && plain && compressed && whole && inOrder && masked
}

// G2: all first two bytes, in each state a receiver can be in.
func TestEveryHeader(t *testing.T) {
	cases := 0
	for _, side := range []Side{Server, Client} {
		for _, message := range []Opcode{Continuation, Text, Binary} {
			for _, deflate := range []bool{false, true} {
				r := Receiver{Side: side, Message: message, Deflate: deflate}
				for pair := range 1 << 16 {
					first, second := byte(pair>>8), byte(pair)
					v := r.Check(first, second)
					if (v == nil) != allowed(first, second, r) {
						t.Fatalf("%+v: header %02X %02X: got %v", r, first, second, v)
					}
					if v != nil && v.Status != StatusProtocol {
						t.Fatalf("%+v: header %02X %02X: status %d", r, first, second, v.Status)
					}
					cases++
				}
			}
		}
	}
	if cases != 786432 {
		t.Fatalf("%d cases, want 786,432", cases)
	}
}

// G2: every length in a longer form than it needs, and the borders of each form.
func TestEveryLengthForm(t *testing.T) {
	refused := 0
	for _, mask := range []byte{0, bitMask} {
		for length := range uint64(1 << 16) {
			wire := binary.BigEndian.AppendUint64([]byte{0x82, mask | length64}, length)
			h, n := Decode(append(wire, 0, 0, 0, 0))
			if n == 0 || h.Length != length || CheckLength(wire[1], h.Length) != ErrLengthForm {
				t.Fatalf("64-bit form of %d: got %d", length, h.Length)
			}
			refused++
			wire = binary.BigEndian.AppendUint16([]byte{0x82, mask | length16}, uint16(length))
			h, _ = Decode(append(wire, 0, 0, 0, 0))
			if v := CheckLength(wire[1], h.Length); h.Length != length || (v == ErrLengthForm) != (length <= 125) {
				t.Fatalf("16-bit form of %d: got %d, %v", length, h.Length, v)
			}
			if length <= 125 {
				refused++
				if v := CheckLength(mask|byte(length), length); v != nil {
					t.Fatalf("7-bit form of %d: %v", length, v)
				}
			}
		}
	}
	if refused != 2*65662 {
		t.Fatalf("%d refused, want 131,324", refused)
	}
	for length, want := range map[uint64]*Violation{
		1 << 16: nil, 1<<31 - 1: nil, 1 << 31: nil, 1<<32 - 1: nil, 1 << 32: nil,
		1<<63 - 1: nil, 1 << 63: ErrLengthTop, 1<<63 + 1: ErrLengthTop, 1<<64 - 1: ErrLengthTop,
	} {
		if got := CheckLength(length64, length); got != want {
			t.Errorf("64-bit length %d: got %v, want %v", length, got, want)
		}
	}
}

func TestViolationSaysEverything(t *testing.T) {
	const want = "websocket: a client must mask its frames (RFC 6455 5.1, status 1002)"
	if got := ErrUnmasked.Error(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
