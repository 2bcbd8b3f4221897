package endpoint

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/websocket/deflate"
	"github.com/bellwire/bellwire/websocket/frame"
)

func TestServerReceives(t *testing.T) {
	const mask = "00000000"
	run(t, []row{
		{"5.7 masked text", "81 85 37fa213d 7f9f4d5158", []string{`text "Hello"`}, ""},
		{"5.6 binary", "82 83 " + mask + " 00ff80", []string{`binary "\x00\xff\x80"`}, ""},
		{"5.6 empty text", "81 80 " + mask, []string{`text ""`}, ""},
		{"5.4 fragments", `01 82 ` + mask + ` "He" 00 81 ` + mask + ` "l" 80 82 ` + mask + ` "lo"`, []string{`text "Hello"`}, ""},
		{"5.4 empty fragments", "01 80 " + mask + " 00 80 " + mask + " 80 80 " + mask, []string{`text ""`}, ""},
		{"5.4 control between fragments", `01 82 ` + mask + ` "He" 89 81 ` + mask + ` "p" 80 83 ` + mask + ` "llo"`, []string{`ping "p"`, `text "Hello"`}, `8A 01 "p"`},
		{"5.4 fragments masked apart", "01 82 01020304 4967 80 81 ff00ff00 93", []string{`text "Hel"`}, ""},
		{"5.5.2 ping", "89 85 37fa213d 7f9f4d5158", []string{`ping "Hello"`}, `8A 05 "Hello"`},
		{"5.5.2 empty ping", "89 80 " + mask, []string{`ping ""`}, "8A 00"},
		{"5.5.3 unasked pong", `8A 81 ` + mask + ` "x"`, []string{`pong "x"`}, ""},
		{"5.5.1 close with code", "88 82 " + mask + " 03e8", []string{`closed 1000 ""`}, "88 02 03e8"},
		{"5.5.1 close with reason", `88 85 ` + mask + ` 0fa0 "bye"`, []string{`closed 4000 "bye"`}, "88 02 0fa0"},
		{"5.5.1 close without code", "88 80 " + mask, []string{`closed 1005 ""`}, "88 00"},
		{"5.5.1 frames after a close are ignored", "88 82 " + mask + " 03e8 89 80 " + mask + " 81 80 " + mask, []string{`closed 1000 ""`}, "88 02 03e8"},
		{"5.5.1 close inside a message", `01 81 ` + mask + ` "a" 88 82 ` + mask + " 03e8", []string{`closed 1000 ""`}, "88 02 03e8"},
		{"5.5.1 close of one byte", "88 81 " + mask + " 03", []string{"closed 1002 RFC 6455 5.5.1"}, refusal(frame.ErrCloseSize)},
		{"7.4 close with a reserved code", "88 82 " + mask + " 03ed", []string{"closed 1002 RFC 6455 7.4"}, refusal(frame.ErrCloseStatus)},
		{"5.5.1 close with bad UTF-8", "88 83 " + mask + " 03e8 ff", []string{"closed 1007 RFC 6455 5.5.1"}, refusal(frame.ErrCloseReason)},
		{"5.1 unmasked", "81 05", []string{"closed 1002 RFC 6455 5.1"}, refusal(frame.ErrUnmasked)},
		{"5.2 message, then a fault", `81 81 ` + mask + ` "a" 83 80`, []string{`text "a"`, "closed 1002 RFC 6455 5.2"}, refusal(frame.ErrOpcode)},
		{"5.2 length not minimal", "82 FE 0001", []string{}, ""},
		{"5.2 length not minimal, whole", "82 FE 0001 " + mask, []string{"closed 1002 RFC 6455 5.2"}, refusal(frame.ErrLengthForm)},
		{"5.2 length with its top bit", "82 FF 8000000000000000 " + mask, []string{"closed 1002 RFC 6455 5.2"}, refusal(frame.ErrLengthTop)},
		{"10.4 length above the limit", "82 FF 4000000000000000 " + mask, []string{"closed 1009 RFC 6455 10.4"}, refusal(ErrMessageSize)},
		{"8.1 bad text", "81 81 " + mask + " ff", []string{"closed 1007 RFC 6455 8.1"}, refusal(ErrUTF8)},
		{"8.1 bad text fails before the message ends", "01 FE 1000 " + mask + " ff", []string{"closed 1007 RFC 6455 8.1"}, refusal(ErrUTF8)},
		{"8.1 character over fragments", "01 81 " + mask + " c3 80 81 " + mask + " a9", []string{`text "é"`}, ""},
		{"8.1 character not ended", "81 81 " + mask + " c3", []string{"closed 1007 RFC 6455 8.1"}, refusal(ErrUTF8)},
		{"8.1 binary may be anything", "82 81 " + mask + " ff", []string{`binary "\xff"`}, ""},
	}, func() *Endpoint { return newEndpoint(config(frame.Server), nil) })
}

func TestClientReceives(t *testing.T) {
	// The client's own frames are masked with 0 here.
	masked := func(v *frame.Violation) string {
		plain := refusal(v)
		return fmt.Sprintf("88%02x00000000%s", 0x80|(len(plain)/2-2), plain[4:])
	}
	run(t, []row{
		{"5.7 unmasked text", `81 05 "Hello"`, []string{`text "Hello"`}, ""},
		{"5.7 fragments", `01 03 "Hel" 80 02 "lo"`, []string{`text "Hello"`}, ""},
		{"5.5.2 ping is answered masked", `89 02 "hi"`, []string{`ping "hi"`}, `8A 82 00000000 "hi"`},
		{"5.5.1 close is answered masked", "88 02 03e9", []string{`closed 1001 ""`}, "88 82 00000000 03e9"},
		{"5.1 masked", "81 85", []string{"closed 1002 RFC 6455 5.1"}, masked(frame.ErrMasked)},
	}, func() *Endpoint { return newEndpoint(config(frame.Client), nil) })
}

func compressed(params deflate.Params, server bool) *deflate.Conn {
	return deflate.New(params, server, deflate.NewPool(0, 0))
}

func TestCompressedReceive(t *testing.T) {
	const mask = "00000000"
	run(t, []row{
		{"7692 7.2.3.1 message", "C1 87 " + mask + " f248cdc9c90700", []string{`text "Hello"`}, ""},
		{"7692 7.2.3.1 fragments", "41 83 " + mask + " f248cd 80 84 " + mask + " c9c90700", []string{`text "Hello"`}, ""},
		{"7692 7.2.3.2 context", "C1 87 " + mask + " f248cdc9c90700 C1 85 " + mask + " f200110000", []string{`text "Hello"`, `text "Hello"`}, ""},
		{"7692 6.1 plain between compressed", "C1 87 " + mask + ` f248cdc9c90700 81 82 ` + mask + ` "hi" C1 85 ` + mask + " f200110000", []string{`text "Hello"`, `text "hi"`, `text "Hello"`}, ""},
		{"7692 6.1 ping inside a compressed message", "41 83 " + mask + " f248cd 89 80 " + mask + " 80 84 " + mask + " c9c90700", []string{`ping ""`, `text "Hello"`}, "8A 00"},
		{"CP-05 empty message", "C2 81 " + mask + " 00", []string{`binary ""`}, ""},
		{"CP-05 no payload", "C2 80 " + mask, []string{`binary ""`}, ""},
		{"CP-03 garbage", "C2 81 " + mask + " 06", []string{"closed 1007 RFC 7692 7.2.2"}, refusal(ErrDeflate)},
		{"8.1 bad text inside", "C1 87 " + mask + " 000100feffff00", []string{"closed 1007 RFC 6455 8.1"}, refusal(ErrUTF8)},
		{"8.1 character not ended inside", "C1 87 " + mask + " 000100feffc300", []string{"closed 1007 RFC 6455 8.1"}, refusal(ErrUTF8)},
		{"CP-04 RSV1 on a ping", "C9 80 " + mask, []string{"closed 1002 RFC 7692 6.1"}, refusal(frame.ErrRSV1Control)},
		{"CP-04 RSV1 on a continuation", "41 81 " + mask + " 00 C0 80 " + mask, []string{"closed 1002 RFC 7692 6.1"}, refusal(frame.ErrRSV1Continue)},
	}, func() *Endpoint { return newEndpoint(config(frame.Server), compressed(deflate.Params{}, true)) })
}

// CP-01: the limit holds for what a message becomes, and for what it is.
func TestCompressedLimit(t *testing.T) {
	c := config(frame.Server)
	c.MessageBytesMax = 1000
	for _, r := range []struct {
		size int
		want string
	}{{999, "binary"}, {1000, "binary"}, {1001, "closed 1009 RFC 6455 10.4"}, {10 << 20, "closed 1009 RFC 6455 10.4"}} {
		payload, _ := deflate.NewPool(0, 0).Alone(make([]byte, r.size))
		wire := frame.Append(nil, frame.Header{Fin: true, RSV1: true, Opcode: frame.Binary, Masked: true, Length: uint64(len(payload))})
		got := feed(newEndpoint(c, compressed(deflate.Params{}, true)), append(wire, payload...), 0)
		if len(got) != 1 || !strings.HasPrefix(got[0], r.want) {
			t.Errorf("%d bytes: got %.60q", r.size, got)
		}
	}
	e := newEndpoint(c, compressed(deflate.Params{}, true))
	if got := feed(e, unhex(t, "C2 FE 0BB8 00000000"), 0); len(got) != 1 || !strings.HasPrefix(got[0], "closed 1009") {
		t.Errorf("3,000 compressed bytes under a limit of 1,000: got %q", got)
	}
}

// FR-12, VC-03: limit - 1, limit, limit + 1, whole and in fragments.
func TestMessageLimit(t *testing.T) {
	c := config(frame.Server)
	c.MessageBytesMax = 300
	for size := 298; size <= 302; size++ {
		for _, fragment := range []int{0, 1, 7, 100, 299} {
			e := newEndpoint(c, nil)
			got := feed(e, fragmented(size, fragment), 0)
			want := fmt.Sprintf("binary %q", make([]byte, size))
			if size > 300 {
				want = "closed 1009 RFC 6455 10.4"
			}
			if len(got) != 1 || got[0] != want {
				t.Errorf("%d bytes in frames of %d: got %.80q", size, fragment, got)
			}
		}
	}
}

// fragmented makes a client's binary message of zeros.
func fragmented(size, fragment int) (wire []byte) {
	opcode := frame.Binary
	for {
		n := size
		if fragment > 0 {
			n = min(size, fragment)
		}
		size -= n
		h := frame.Header{Fin: size == 0, Opcode: opcode, Masked: true, Length: uint64(n)}
		wire = append(frame.Append(wire, h), make([]byte, n)...)
		if size == 0 {
			return wire
		}
		opcode = frame.Continuation
	}
}

// FR-10, VC-04: the number of fragments has a limit, also of empty ones.
func TestFragmentLimit(t *testing.T) {
	c := config(frame.Server)
	c.FragmentsMax = 4
	for count := 3; count <= 5; count++ {
		want := "binary"
		if count > 4 {
			want = "closed 1008"
		}
		if got := feed(newEndpoint(c, nil), fragmented(count, 1), 0); len(got) != 1 || !strings.HasPrefix(got[0], want) {
			t.Errorf("%d fragments: got %q", count, got)
		}
	}
	// The count starts anew with each message, also within one input.
	if got := feed(newEndpoint(c, nil), append(fragmented(3, 1), fragmented(3, 1)...), 0); len(got) != 2 || !strings.HasPrefix(got[1], "binary") {
		t.Errorf("two messages of 3 fragments: got %q", got)
	}
	e := newEndpoint(c, nil)
	empty := strings.Repeat("00 80 00000000", 5)
	if got := feed(e, unhex(t, "01 80 00000000"+empty), 0); len(got) != 1 || !strings.HasPrefix(got[0], "closed 1008") {
		t.Errorf("empty fragments: got %q", got)
	}
}

// VC-01, VC-02: a declared length costs nothing, and is judged by the header.
func TestDeclaredLength(t *testing.T) {
	for _, length := range []uint64{1 << 20, 1<<20 + 1, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32, 1<<63 - 1} {
		e := newEndpoint(config(frame.Server), nil)
		wire := frame.Append(nil, frame.Header{Fin: true, Opcode: frame.Binary, Masked: true, Length: length})
		allocated := testing.AllocsPerRun(10, func() {
			e.Init(e.config, nil, 0)
			e.Receive(append(wire, "0123456789"...), 0)
			e.Next(0)
		})
		if e.Over() != (length > 1<<20) || allocated > 8 {
			t.Errorf("length %d: over %v, %v allocations", length, e.Over(), allocated)
		}
		if r := e.receiver; r != nil && r.assembly != nil && cap(r.assembly.bytes) > 1024 {
			t.Errorf("length %d: holds %d bytes for 10", length, cap(r.assembly.bytes))
		}
	}
}

// The memory of a message in pieces follows what has come.
func TestAssemblyGrowsWithInput(t *testing.T) {
	e := newEndpoint(config(frame.Server), nil)
	feed(e, frame.Append(nil, frame.Header{Fin: true, Opcode: frame.Binary, Masked: true, Length: 1 << 20}), 0)
	for come := 0; come < 1<<20; come += 1000 {
		if got := feed(e, make([]byte, min(1000, 1<<20-come)), 0); come+1000 < 1<<20 && got != nil {
			t.Fatalf("after %d bytes: %.40q", come, got)
		}
		if r := e.receiver; r != nil && r.assembly != nil {
			if held := cap(r.assembly.bytes); held > 2*(come+1000)+1024 {
				t.Fatalf("holds %d bytes for %d", held, come+1000)
			}
		}
	}
	if e.receiver != nil {
		t.Error("memory is held at rest")
	}
}

func TestParts(t *testing.T) {
	e := newEndpoint(config(frame.Server), nil)
	take := func(in string) (lines []string) {
		e.Receive(unhex(t, in), 0)
		for ev := e.NextPart(0); ev.Kind != None; ev = e.NextPart(0) {
			lines = append(lines, describe(ev))
		}
		return lines
	}
	check := func(got []string, want ...string) {
		t.Helper()
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	check(take(`01 85 00000000 "He"`), `part text "He" first=true final=false`)
	check(take(`"llo" 89 80 00000000 80 81 00000000`), `part text "llo" first=false final=false`, `ping ""`)
	check(take(`"!" 82 80 00000000`), `part text "!" first=false final=true`, `part binary "" first=true final=true`)
	// A message begun whole and then asked for in parts.
	e.Receive(unhex(t, `01 83 00000000 "abc"`), 0)
	check(events(e, 0))
	check(take(`80 81 00000000 "d"`), `part text "abcd" first=true final=true`)
	// A message begun in parts and then asked for whole is skipped.
	check(take(`01 83 00000000 "abc"`), `part text "abc" first=true final=false`)
	e.Receive(unhex(t, `00 81 00000000 "d" 80 81 00000000 "e" 81 81 00000000 "f"`), 0)
	check(events(e, 0), `text "f"`)
	if e.receiver != nil {
		t.Error("memory is held at rest")
	}
}

func TestPartOfCompressed(t *testing.T) {
	e := newEndpoint(config(frame.Server), compressed(deflate.Params{}, true))
	e.Receive(unhex(t, "41 83 00000000 f248cd"), 0)
	if ev := e.NextPart(0); ev.Kind != None {
		t.Errorf("got %s", describe(ev))
	}
	e.Receive(unhex(t, "80 84 00000000 c9c90700"), 0)
	if got := describe(e.NextPart(0)); got != `part text "Hello" first=true final=true` {
		t.Errorf("got %s", got)
	}
}

func TestReceiveTwicePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("the owner's fault is not told")
		}
	}()
	e := newEndpoint(config(frame.Server), nil)
	e.Receive([]byte{0x81}, 0)
	e.Receive([]byte{0x80}, 0)
}

// FR-17: input that ends anywhere gives no partial message.
func TestEOFAnywhere(t *testing.T) {
	wire := unhex(t, `81 83 00000000 "abc" 01 82 01020304 4967 89 81 00000000 "p" 80 FE 0081 00000000`)
	wire = append(wire, strings.Repeat("x", 129)...)
	whole := []string{`text "abc"`, `ping "p"`, `text "He` + strings.Repeat("x", 129) + `"`}
	for cut := range wire {
		e := newEndpoint(config(frame.Server), nil)
		got := feed(e, wire[:cut], 0)
		e.ReceiveEOF()
		last := events(e, 0)
		if len(last) != 1 || last[0] != `closed 1006 ""` {
			t.Fatalf("cut at %d: ended with %q", cut, last)
		}
		for i, line := range got {
			if line != whole[i] {
				t.Fatalf("cut at %d: got %q", cut, line)
			}
		}
		if e.receiver != nil || e.Next(0).Kind != None {
			t.Fatalf("cut at %d: something is left", cut)
		}
	}
}
