package endpoint

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/bellwire/bellwire/websocket/frame"
)

// The limits under which streams are fuzzed.
const (
	fuzzMessageMax   = 2000
	fuzzFragmentsMax = 6
)

// readNaively is a second reading of RFC 6455 5: it has the whole input, knows
// nothing of pieces, and is not in a hurry. It gives what describe gives.
func readNaively(in []byte, client bool) (lines []string) {
	fail := func(code int) []string { return append(lines, fmt.Sprintf("closed %d", code)) }
	var message []byte
	var kind byte
	var fragments int
	for len(in) >= 2 {
		fin, opcode, masked, length, n := in[0]&0x80 != 0, in[0]&0x0f, in[1]&0x80 != 0, uint64(in[1]&0x7f), 2
		control := opcode >= 8
		switch {
		case in[0]&0x70 != 0, opcode > 2 && opcode < 8, opcode > 10, masked == client:
			return fail(1002)
		case control && (!fin || length > 125):
			return fail(1002)
		case !control && (opcode == 0) != (kind != 0):
			return fail(1002)
		}
		more := map[uint64]int{126: 2, 127: 8}[length]
		head := n + more
		if masked {
			head += 4
		}
		if len(in) < head {
			return lines
		}
		if more > 0 {
			length = 0
			for _, c := range in[n : n+more] {
				length = length<<8 | uint64(c)
			}
			if length < 126 || more == 8 && (length < 65536 || length>>63 == 1) {
				return fail(1002)
			}
		}
		if !control {
			if fragments++; fragments > fuzzFragmentsMax {
				return fail(1008)
			}
			if length > fuzzMessageMax || len(message)+int(length) > fuzzMessageMax {
				return fail(1009)
			}
			if opcode != 0 {
				kind = opcode
			}
		}
		payload := slices.Clone(in[head:min(uint64(len(in)), uint64(head)+length)])
		if masked {
			for i := range payload {
				payload[i] ^= in[head-4+i%4]
			}
		}
		whole := uint64(len(payload)) == length
		in = in[head+len(payload):]
		switch {
		case !control:
			message = append(message, payload...)
			if kind == 1 && !beginsText(message, whole && fin) {
				return fail(1007)
			}
			if whole && fin {
				lines = append(lines, fmt.Sprintf("%s %q", map[byte]string{1: "text", 2: "binary"}[kind], message))
				message, kind, fragments = nil, 0, 0
			}
		case !whole:
		case opcode == 8 && len(payload) == 0:
			return fail(1005)
		case opcode == 8 && (len(payload) == 1 || !sendable(int(payload[0])<<8|int(payload[1]))):
			return fail(1002)
		case opcode == 8 && !utf8.Valid(payload[2:]):
			return fail(1007)
		case opcode == 8:
			return fail(int(payload[0])<<8 | int(payload[1]))
		default:
			lines = append(lines, fmt.Sprintf("%s %q", map[byte]string{9: "ping", 10: "pong"}[opcode], payload))
		}
	}
	return lines
}

func sendable(code int) bool {
	return code >= 1000 && code <= 1003 || code >= 1007 && code <= 1014 || code >= 3000 && code <= 4999
}

// beginsText reports whether text can begin with b, or be b where it is over.
func beginsText(b []byte, over bool) bool {
	if utf8.Valid(b) {
		return true
	}
	for i := 1; i < 4 && i <= len(b); i++ {
		if head, tail := b[:len(b)-i], b[len(b)-i:]; utf8.Valid(head) {
			return !over && !utf8.FullRune(tail)
		}
	}
	return false
}

// FuzzStream gives a stream whole, byte by byte and in random pieces; the events
// and the output are the same, and what the naive reading says.
func FuzzStream(f *testing.F) {
	f.Add(unhex(f, `81 85 37fa213d 7f9f4d5158`), false, uint64(1))
	f.Add(unhex(f, `01 82 00000000 "He" 89 81 00000000 "p" 80 83 00000000 "llo" 88 82 00000000 03e8`), false, uint64(2))
	f.Add(unhex(f, `01 03 "Hel" 00 00 80 02 "lo" 8A 00 88 05 0fa0 "bye"`), true, uint64(3))
	f.Add(unhex(f, `82 FE 0100 01020304`), false, uint64(4))
	f.Add(append(unhex(f, "81 7E 0080"), strings.Repeat("é", 64)...), true, uint64(5))
	f.Add(unhex(f, "81 04 f4908080"), true, uint64(6))
	f.Fuzz(func(t *testing.T, in []byte, client bool, seed uint64) {
		c := config(frame.Server)
		if client {
			c.Side = frame.Client
		}
		c.MessageBytesMax, c.FragmentsMax, c.ControlBurst = fuzzMessageMax, fuzzFragmentsMax, 1<<20
		want := readNaively(in, client)
		whole := newEndpoint(c, nil)
		got := feed(whole, in, 0)
		if !sameEvents(got, want) {
			t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		output := whole.Output()
		pieces, random := newEndpoint(c, nil), rand.New(rand.NewPCG(seed, 0))
		var again []string
		for rest := in; len(rest) > 0; {
			n := 1 + random.IntN(min(len(rest), 1+int(seed%50)))
			again = append(again, feed(pieces, rest[:n], 0)...)
			rest = rest[n:]
		}
		if !slices.Equal(again, got) {
			t.Fatalf("in pieces\n%s\nwhole\n%s", strings.Join(again, "\n"), strings.Join(got, "\n"))
		}
		if out := pieces.Output(); string(out) != string(output) {
			t.Fatalf("in pieces it sends % X, whole % X", out, output)
		}
	})
}

// sameEvents compares up to what the naive reading leaves out of the last line.
func sameEvents(got, want []string) bool {
	return slices.EqualFunc(got, want, func(g, w string) bool {
		return g == w || strings.HasPrefix(w, "closed") && strings.HasPrefix(g, w+" ")
	})
}

// FuzzConversation joins two endpoints: what one sends in any form the other
// receives, in order, whatever the pieces, and both end with the same close.
func FuzzConversation(f *testing.F) {
	f.Add([]byte("\x00\x05Hello\x13\x02\x04p\x21\x10"), uint64(1), true)
	f.Add([]byte("\x50\xff\xff\x51\x03\x02\x01"), uint64(7), false)
	f.Fuzz(func(t *testing.T, script []byte, seed uint64, client bool) {
		from, to := config(frame.Server), config(frame.Client)
		if client {
			from, to = to, from
		}
		random := rand.New(rand.NewPCG(seed, 1))
		from.MaskKey = random.Uint32
		to.MaskKey = random.Uint32
		sender, receiver := newEndpoint(from, nil), newEndpoint(to, nil)
		want, wire := play(sender, script)
		sender.SendClose(4321, "over", 0)
		wire = append(wire, sender.Output()...)
		want = append(want, `closed 4321 "over"`)
		var got []string
		for now := time.Duration(0); len(wire) > 0; now += time.Second {
			n := 1 + random.IntN(len(wire))
			receiver.Receive(wire[:n], now)
			got = append(got, events(receiver, now)...)
			wire = wire[n:]
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		sender.Receive(receiver.Output()[:], 0)
		if back := events(sender, 0); len(back) == 0 || back[len(back)-1] != `closed 4321 ""` {
			t.Fatalf("the sender hears %q", back)
		}
	})
}

// play sends what a script says, and returns what the peer will see. There are at
// most as many pings as the peer allows at once.
func play(e *Endpoint, script []byte) (want []string, wire []byte) {
	pings := 0
	for len(script) >= 2 {
		op, size := script[0]%5, int(script[1])*(1+int(script[0])/16)
		script = script[2:]
		payload := []byte(strings.Repeat("é", size/2))
		switch op {
		case 0:
			e.Send(frame.Text, payload)
			want = append(want, fmt.Sprintf("text %q", payload))
		case 1:
			e.Send(frame.Binary, payload)
			want = append(want, fmt.Sprintf("binary %q", payload))
		case 2:
			payload = payload[:min(len(payload), 40)]
			e.BeginParts(frame.Text)
			for i := range payload {
				e.SendPart(payload[i:i+1], false)
			}
			e.SendPart(nil, true)
			want = append(want, fmt.Sprintf("text %q", payload))
		case 3, 4:
			if pings++; pings > 10 {
				continue
			}
			payload = payload[:min(len(payload), 125)]
			e.SendPing(payload)
			want = append(want, fmt.Sprintf("ping %q", payload))
		}
		wire = append(wire, e.Output()...)
	}
	return want, wire
}
