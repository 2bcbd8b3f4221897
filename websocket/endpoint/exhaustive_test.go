package endpoint

import (
	"fmt"
	"testing"
	"unicode/utf8"

	"github.com/bellwire/bellwire/websocket/deflate"
	"github.com/bellwire/bellwire/websocket/frame"
)

// G2: all headers of two bytes in each state, given to an endpoint: whether it
// goes on, and that it says 1002 and a close frame where it does not.
func TestEveryHeader(t *testing.T) {
	cases := 0
	for _, side := range []frame.Side{frame.Server, frame.Client} {
		for _, message := range []frame.Opcode{frame.Continuation, frame.Text, frame.Binary} {
			for _, agreed := range []*deflate.Conn{nil, compressed(deflate.Params{}, side == frame.Server)} {
				cases += everyHeader(t, side, message, agreed)
			}
		}
	}
	if cases != 786432 {
		t.Errorf("%d cases", cases)
	}
}

func everyHeader(t *testing.T, side frame.Side, message frame.Opcode, agreed *deflate.Conn) (cases int) {
	start := frame.Append(nil, frame.Header{Opcode: message, Masked: side == frame.Server})
	c := config(side)
	e := new(Endpoint)
	out := make([]byte, 0, 256)
	in := make([]byte, 16)
	for pair := range 1 << 16 {
		e.Init(c, agreed, 0)
		if message != frame.Continuation {
			e.Receive(in[:copy(in, start)], 0)
			e.Next(0)
		}
		e.Lend(out)
		in[0], in[1] = byte(pair>>8), byte(pair)
		e.Receive(in[:2], 0)
		var last Event
		for ev := e.Next(0); ev.Kind != None; ev = e.Next(0) {
			last = ev
		}
		got := e.Output()
		if e.receiver != nil {
			*e.receiver = receiver{}
			receivers.Put(e.receiver)
		}
		cases++
		switch want := allowed(in[0], in[1], side, message, agreed != nil); {
		case want && last.Kind == Closed && last.Violation != nil && last.Violation.Status == 1002:
			t.Fatalf("side %d, message %d: %02X %02X: refused", side, message, pair>>8, pair&0xff)
		case !want && (last.Kind != Closed || last.Status != 1002 || len(got) < 4 || got[0] != 0x88):
			t.Fatalf("side %d, message %d: %02X %02X: %s, sent % X", side, message, pair>>8, pair&0xff, describe(last), got)
		}
	}
	return cases
}

// allowed says what a header must be (RFC 6455 5.2 to 5.5, RFC 7692 6.1).
func allowed(first, second byte, side frame.Side, message frame.Opcode, deflated bool) bool {
	fin, rsv1, opcode := first >= 0x80, first&0x40 != 0, first&0x0f
	data, control := opcode <= 2, opcode >= 8 && opcode <= 10
	return (data || control) && first&0x30 == 0 &&
		(!rsv1 || deflated && opcode >= 1 && opcode <= 2) &&
		(!control || fin && second&0x7f <= 125) &&
		(control || (opcode == 0) == (message != frame.Continuation)) &&
		(second >= 0x80) == (side == frame.Server)
}

// G2: all close codes, both sides, without a reason, with a good and a bad one:
// 393,216 close frames, what is reported and what is answered.
func TestEveryCloseCode(t *testing.T) {
	cases := 0
	for _, side := range []frame.Side{frame.Server, frame.Client} {
		c := config(side)
		e := new(Endpoint)
		buf := make([]byte, 0, 256)
		for code := range 1 << 16 {
			for _, reason := range []string{"", "bye", "\xff"} {
				payload := append([]byte{byte(code >> 8), byte(code)}, reason...)
				h := frame.Header{Fin: true, Opcode: frame.Close, Masked: side == frame.Server, Length: uint64(len(payload))}
				e.Init(c, nil, 0)
				e.Lend(buf)
				e.Receive(append(frame.Append(nil, h), payload...), 0)
				ev := e.Next(0)
				status := answered(e.Output(), side)
				cases++
				want := code
				switch {
				case !frame.Status(code).Valid():
					want = 1002
				case !utf8.ValidString(reason):
					want = 1007
				}
				if ev.Kind != Closed || int(ev.Status) != want || status != want {
					t.Fatalf("side %d, code %d, reason %q: %s, answered %d", side, code, reason, describe(ev), status)
				}
			}
		}
	}
	if cases != 393216 {
		t.Errorf("%d cases", cases)
	}
}

// answered reads the status of a close frame, which a client has masked by 0.
func answered(out []byte, side frame.Side) int {
	h, n := frame.Decode(out)
	if h.Opcode != frame.Close || h.Masked != (side == frame.Client) || h.Length < 2 || int(h.Length) != len(out)-n {
		return 0
	}
	return int(out[n])<<8 | int(out[n+1])
}

// FR-06: every non-minimal length, both sides.
func TestEveryLengthForm(t *testing.T) {
	refused := 0
	for _, side := range []frame.Side{frame.Server, frame.Client} {
		c := config(side)
		e := new(Endpoint)
		var mask byte
		if side == frame.Server {
			mask = 0x80
		}
		try := func(wire ...byte) {
			e.Init(c, nil, 0)
			e.Receive(append(wire, 0, 0, 0, 0), 0)
			if ev := e.Next(0); ev.Kind != Closed || ev.Violation != frame.ErrLengthForm {
				t.Fatalf("% X: %s", wire, describe(ev))
			}
			refused++
		}
		for n := range 1 << 16 {
			if n < 126 {
				try(0x82, mask|126, 0, byte(n))
			}
			try(0x82, mask|127, 0, 0, 0, 0, 0, 0, byte(n>>8), byte(n))
		}
	}
	if refused != 131324 {
		t.Errorf("%d refused", refused)
	}
}

// FR-13: malformed text at many places of a message, over frames of every
// size, given byte by byte: it fails with the first impossible byte.
func TestBadTextFailsFast(t *testing.T) {
	bad := []struct {
		text string
		at   int // the first impossible byte
	}{
		{"\xC0\xAF", 0}, {"\xE0\x80\xAF", 1}, {"\xF0\x80\x80\xAF", 1}, {"\xED\xA0\x80", 1}, {"\xED\xBF\xBF", 1},
		{"\xF4\x90\x80\x80", 1}, {"\x80", 0}, {"\xBF", 0}, {"\xC3(", 1}, {"\xE2\x82(", 2}, {"\xF0\x9F\x98(", 3},
		{"\xF5\x80\x80\x80", 0}, {"\xFF", 0}, {"\xED\xA0\x81\xED\xB0\x80", 1},
	}
	for _, row := range bad {
		for _, before := range []int{0, 1, 7, 63, 130} {
			text := append(make([]byte, before), row.text+"tail"...)
			for fragment := 1; fragment <= len(text); fragment++ {
				failsAt(t, text, fragment, before+row.at)
			}
		}
	}
}

func failsAt(t *testing.T, text []byte, fragment, at int) {
	t.Helper()
	e := newEndpoint(config(frame.Server), nil)
	opcode := frame.Text
	for start := 0; start < len(text); start += fragment {
		part := text[start:min(start+fragment, len(text))]
		h := frame.Header{Fin: start+fragment >= len(text), Opcode: opcode, Masked: true, Length: uint64(len(part))}
		if got := feed(e, frame.Append(nil, h), 0); got != nil {
			t.Fatalf("%q in frames of %d: header: %q", text, fragment, got)
		}
		opcode = frame.Continuation
		for i, c := range part {
			got := feed(e, []byte{c}, 0)
			if want := start+i == at; (len(got) == 1) != want {
				t.Fatalf("%q in frames of %d: after byte %d: %q", text, fragment, start+i, got)
			} else if want {
				if got[0] != "closed 1007 RFC 6455 8.1" {
					t.Fatal(got)
				}
				return
			}
		}
	}
	t.Fatalf("%q in frames of %d: accepted", text, fragment)
}

// FR-14: characters of every length over every border of frames and pieces.
func TestGoodTextOverBorders(t *testing.T) {
	const text = "aé€😀\x00\uFFFF\U0010FFFF"
	for fragment := 1; fragment <= len(text); fragment++ {
		for size := 1; size <= 9; size++ {
			var wire []byte
			opcode := frame.Text
			for start := 0; start < len(text); start += fragment {
				part := text[start:min(start+fragment, len(text))]
				h := frame.Header{Fin: start+fragment >= len(text), Opcode: opcode, Masked: true, Length: uint64(len(part))}
				wire = append(frame.Append(wire, h), part...)
				opcode = frame.Continuation
			}
			got := feed(newEndpoint(config(frame.Server), nil), wire, size)
			if len(got) != 1 || got[0] != fmt.Sprintf("text %q", text) {
				t.Fatalf("frames of %d, pieces of %d: %q", fragment, size, got)
			}
		}
	}
}
