package conformance_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/frame"
	ws "github.com/bellwire/bellwire/websocket/websockettest"
)

// Sections 1 to 7, 9 and 10: 301 cases. Section 8 is empty in the suite, and 11 was never written; 12 and 13 are TestAutobahnDeflate.
func TestAutobahn(t *testing.T) {
	sections := []struct {
		name  string
		cases []conversation
		count int
	}{
		{"1 framing", framingCases(), 16},
		{"2 pings and pongs", pingCases(), 11},
		{"3 reserved bits", reservedCases(), 7},
		{"4 opcodes", opcodeCases(), 10},
		{"5 fragmentation", fragmentCases(), 20},
		{"6 UTF-8", utf8Cases(), 145},
		{"7 closing", closeCases(), 37},
		{"9 limits", limitCases(), 54},
		{"10 auto-fragmentation", autoFragmentCases(), 1},
	}
	all := sides(t)
	for _, s := range sections {
		t.Run(s.name, func(t *testing.T) {
			if len(s.cases) != s.count {
				t.Errorf("%d cases, want %d", len(s.cases), s.count)
			}
			play(t, all, websocket.AcceptOptions{Limits: suiteLimits}, s.cases)
		})
	}
}

// echoed is a case of messages that come back.
func echoed(id string, frames ...ws.Frame) conversation {
	return conversation{id, []step{say(frames...), hear(frames...)}, normal}
}

func framingCases() (cases []conversation) {
	for group, message := range []func(string) ws.Frame{text, binary} {
		for i, size := range []int{0, 125, 126, 127, 128, 65535, 65536} {
			cases = append(cases, echoed(fmt.Sprintf("1.%d.%d", group+1, i+1), message(strings.Repeat("*", size))))
		}
		whole := message(strings.Repeat("*", 65536))
		cases = append(cases, conversation{fmt.Sprintf("1.%d.8", group+1), []step{chopped(997, whole), hear(whole)}, normal})
	}
	return cases
}

func pingCases() []conversation {
	large := strings.Repeat("\xfe", 125)
	var pings, pongs []ws.Frame
	for i := range 10 {
		pings = append(pings, ping(fmt.Sprintf("payload-%d", i)))
		pongs = append(pongs, pong(fmt.Sprintf("payload-%d", i)))
	}
	return []conversation{
		{"2.1", []step{say(ping("")), hear(pong(""))}, normal},
		{"2.2", []step{say(ping("Hello, world!")), hear(pong("Hello, world!"))}, normal},
		{"2.3", []step{say(ping("\x00\xff\xfe\xfd\xfc\xfb\x00\xff")), hear(pong("\x00\xff\xfe\xfd\xfc\xfb\x00\xff"))}, normal},
		{"2.4", []step{say(ping(large)), hear(pong(large))}, normal},
		{"2.5", []step{say(ping(large + "\xfe"))}, fails(1002)},
		{"2.6", []step{chopped(1, ping(large)), hear(pong(large))}, normal},
		{"2.7", []step{say(pong(""))}, normal},
		{"2.8", []step{say(pong("unsolicited"))}, normal},
		{"2.9", []step{say(pong("unsolicited"), ping("ping")), hear(pong("ping"))}, normal},
		{"2.10", []step{say(pings...), hear(pongs...)}, normal},
		{"2.11", []step{chopped(1, pings...), hear(pongs...)}, normal},
	}
}

// rsv sets the reserved bits of a frame, as a number of three bits.
func rsv(bits int, f ws.Frame) ws.Frame {
	f.RSV1, f.RSV2, f.RSV3 = bits&4 != 0, bits&2 != 0, bits&1 != 0
	return f
}

func reservedCases() []conversation {
	good := text("Hello, world!")
	return []conversation{
		{"3.1", []step{say(rsv(1, good))}, fails(1002)},
		{"3.2", []step{say(good, rsv(2, good), ping("")), hear(good)}, fails(1002)},
		{"3.3", append(append(each(good), hear(good)), chops(1, rsv(3, good), ping(""))...), fails(1002)},
		{"3.4", []step{chopped(1, good, rsv(4, good), ping("")), hear(good)}, fails(1002)},
		{"3.5", []step{say(rsv(5, binary("\x00\xff\xfe")))}, fails(1002)},
		{"3.6", []step{say(rsv(6, ping("Hello, world!")))}, fails(1002)},
		{"3.7", []step{say(rsv(7, ws.CloseFrame(1000, "")))}, fails(1002)},
	}
}

func opcodeCases() (cases []conversation) {
	good := text("Hello, world!")
	for group, first := range []frame.Opcode{3, 11} {
		id := func(n int) string { return fmt.Sprintf("4.%d.%d", group+1, n) }
		cases = append(cases,
			conversation{id(1), []step{say(ws.Fin(first, ""))}, fails(1002)},
			conversation{id(2), []step{say(ws.Fin(first+1, "reserved opcode"))}, fails(1002)},
			conversation{id(3), []step{say(good, ws.Fin(first+2, ""), ping("")), hear(good)}, fails(1002)},
			conversation{id(4), []step{say(good, ws.Fin(first+3, "reserved opcode"), ping("")), hear(good)}, fails(1002)},
			conversation{id(5), []step{chopped(1, good, ws.Fin(first+4, "reserved opcode"), ping("")), hear(good)}, fails(1002)})
	}
	return cases
}

// threeWays sends frames in one write, by frame and by octet.
func threeWays(first int, frames, expect []ws.Frame, e end) []conversation {
	ways := [][]step{{say(frames...)}, each(frames...), {chopped(1, frames...)}}
	var cases []conversation
	for i, steps := range ways {
		if len(expect) > 0 {
			steps = append(steps, hear(expect...))
		}
		cases = append(cases, conversation{fmt.Sprintf("5.%d", first+i), steps, e})
	}
	return cases
}

func fragmentCases() []conversation {
	type fs = []ws.Frame
	one, two := begin(frame.Text, "fragment1"), finish("fragment2")
	both := text("fragment1fragment2")
	cases := []conversation{
		{"5.1", []step{say(begin(frame.Ping, "fragment1"), two)}, fails(1002)},
		{"5.2", []step{say(begin(frame.Pong, "fragment1"), two)}, fails(1002)},
	}
	cases = append(cases, threeWays(3, fs{one, two}, fs{both}, normal)...)
	cases = append(cases, threeWays(6, fs{one, ping("ping"), two}, fs{pong("ping"), both}, normal)...)
	cases = append(cases, threeWays(9, fs{finish("orphan"), text("Hello, world!")}, nil, fails(1002))...)
	cases = append(cases, threeWays(12, fs{goOn("orphan"), text("Hello, world!")}, nil, fails(1002))...)
	fragments := fs{begin(frame.Text, "fragment1"), goOn("fragment2")}
	tail := fs{goOn("fragment3"), goOn("fragment4")}
	whole := text("fragment1fragment2fragment3fragment4fragment5")
	paused := []step{
		say(append(fragments, ping("ping1"))...), hear(pong("ping1")),
		say(append(tail, ping("ping2"), finish("fragment5"))...), hear(pong("ping2"), whole),
	}
	var flushed []step
	for _, s := range paused {
		if s.send != nil {
			flushed = append(flushed, each(s.send...)...)
			continue
		}
		flushed = append(flushed, s)
	}
	return append(cases,
		conversation{"5.15", []step{say(one, two, goOn("fragment3"), text("fragment4")), hear(both)}, fails(1002)},
		conversation{"5.16", []step{say(goOn("fragment1"), one, two, goOn("fragment1"), one, two)}, fails(1002)},
		conversation{"5.17", []step{say(finish("fragment1"), one, two, finish("fragment1"), one, two)}, fails(1002)},
		conversation{"5.18", []step{say(one, text("fragment2"))}, fails(1002)},
		conversation{"5.19", paused, normal},
		conversation{"5.20", flushed, normal},
	)
}

func closeCases() []conversation {
	hello, bye := text("Hello, world!"), ws.CloseFrame(1000, "")
	raw := func(payload string) end { return end{send: []ws.Frame{ws.Fin(frame.Close, payload)}} }
	with := func(e end, status frame.Status) end { e.status = status; return e }
	long := text(strings.Repeat("*", 256<<10))
	cases := []conversation{
		{"7.1.1", []step{say(hello), hear(hello)}, normal},
		{"7.1.2", nil, end{[]ws.Frame{bye, bye}, 1000}},
		{"7.1.3", nil, end{[]ws.Frame{bye, ping("")}, 1000}},
		{"7.1.4", nil, end{[]ws.Frame{bye, hello}, 1000}},
		{"7.1.5", []step{say(begin(frame.Text, "fragment1"))}, end{[]ws.Frame{bye, finish("fragment2")}, 1000}},
		{"7.1.6", []step{say(long, hello, bye), hear(long, hello)}, fails(1000)},
		{"7.3.1", nil, with(raw(""), frame.StatusNone)},
		{"7.3.2", nil, with(raw("a"), 1002)},
		{"7.3.3", nil, normal},
		{"7.3.4", nil, with(raw("\x03\xe8Hello World!"), 1000)},
		{"7.3.5", nil, with(raw("\x03\xe8"+strings.Repeat("*", 123)), 1000)},
		{"7.3.6", nil, with(raw("\x03\xe8"+strings.Repeat("*", 124)), 1002)},
		{"7.5.1", nil, with(raw("\x03\xe8\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80"), 1007)},
	}
	for i, code := range []frame.Status{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999} {
		cases = append(cases, conversation{fmt.Sprintf("7.7.%d", i+1), nil, closes(code)})
	}
	for i, code := range []frame.Status{0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999} {
		cases = append(cases, conversation{fmt.Sprintf("7.9.%d", i+1), nil, with(raw(string([]byte{byte(code >> 8), byte(code)})), 1002)})
	}
	for i, code := range []frame.Status{5000, 65535} {
		cases = append(cases, conversation{fmt.Sprintf("7.13.%d", i+1), nil, with(raw(string([]byte{byte(code >> 8), byte(code)})), 1002)})
	}
	return cases
}

// limitCases are section 9. Unlike the suite this compares contents, too. Under the
// race detector sizes and counts are a sixteenth.
func limitCases() (cases []conversation) {
	add := func(id string, steps ...step) { cases = append(cases, conversation{id, steps, normal}) }
	for kind, message := range []func(string) ws.Frame{text, binary} {
		for i, size := range []int{64 << 10, 256 << 10, 1 << 20, 4 << 20, 8 << 20, 16 << 20} {
			whole := message(strings.Repeat("*", size/slowness))
			add(fmt.Sprintf("9.%d.%d", 1+kind, i+1), say(whole), hear(whole))
		}
		whole := message(strings.Repeat("*", 4<<20/slowness))
		for i, size := range []int{64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20} {
			add(fmt.Sprintf("9.%d.%d", 3+kind, i+1), say(fragments(whole, size)...), hear(whole))
		}
		whole = message(strings.Repeat("*", 1<<20/slowness))
		for i, size := range []int{64, 128, 256, 512, 1024, 2048} {
			add(fmt.Sprintf("9.%d.%d", 5+kind, i+1), chopped(size, whole), hear(whole))
		}
		for i, size := range []int{0, 16, 64, 256, 1024, 4096} {
			small := message(strings.Repeat("*", size))
			var steps []step
			for range 1000 / slowness {
				steps = append(steps, say(small), hear(small))
			}
			add(fmt.Sprintf("9.%d.%d", 7+kind, i+1), steps...)
		}
	}
	return cases
}

// fragments cuts a message into frames of a size.
func fragments(whole ws.Frame, size int) (all []ws.Frame) {
	opcode, payload := whole.Opcode, whole.Payload
	for len(payload) > size {
		all = append(all, ws.Frame{RSV1: whole.RSV1 && len(all) == 0, Opcode: opcode, Payload: payload[:size]})
		payload, opcode = payload[size:], frame.Continuation
	}
	return append(all, ws.Frame{Fin: true, RSV1: whole.RSV1 && len(all) == 0, Opcode: opcode, Payload: payload})
}

func autoFragmentCases() []conversation {
	whole := text(strings.Repeat("*", 64<<10))
	return []conversation{{"10.1.1", []step{say(fragments(whole, 1300)...), hear(whole)}, normal}}
}
