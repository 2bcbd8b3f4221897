package endpoint

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/seed"
	"github.com/bellwire/bellwire/websocket/deflate"
	"github.com/bellwire/bellwire/websocket/frame"
)

// wholeFeed is feed, by NextWhole.
func wholeFeed(e *Endpoint, input []byte, size int) (lines []string) {
	input = slices.Clone(input)
	for len(input) > 0 {
		n := min(size, len(input))
		e.Receive(input[:n:n], 0)
		input = input[n:]
		for {
			event := e.NextWhole(0)
			if event.Kind == None {
				break
			}
			lines = append(lines, describe(event))
		}
	}
	return lines
}

// TestWholeIsNext holds the short way against the long one: the same events and the
// same output, for random frames, right and wrong, however they are cut.
func TestWholeIsNext(t *testing.T) {
	random := seed.Rand(t)
	for range 3000 {
		side := frame.Side(random.IntN(2))
		wire := randomFrames(random, side)
		config := config(side)
		config.MessageBytesMax = 300
		config.ControlBurst = 100
		var agreed *deflate.Conn
		if random.IntN(4) == 0 {
			agreed = compressed(deflate.Params{}, side == frame.Server)
		}
		long, short := newEndpoint(config, agreed), newEndpoint(config, agreed)
		size := 1 + random.IntN(len(wire))
		want, got := feed(long, wire, size), wholeFeed(short, wire, size)
		wantOut, gotOut := fmt.Sprintf("%x", long.Output()), fmt.Sprintf("%x", short.Output())
		if strings.Join(got, "\n") != strings.Join(want, "\n") || gotOut != wantOut {
			t.Fatalf("pieces of %d of %x:\ngot  %q %s\nwant %q %s", size, wire, got, gotOut, want, wantOut)
		}
	}
}

// randomFrames are mostly whole messages, and here and there anything.
func randomFrames(random *rand.Rand, side frame.Side) (wire []byte) {
	for range 1 + random.IntN(8) {
		h := frame.Header{Fin: random.IntN(8) > 0, Opcode: frame.Opcode(1 + random.IntN(2)), Masked: side == frame.Server}
		switch random.IntN(12) {
		case 0:
			h.Opcode = frame.Opcode(random.IntN(16))
		case 1:
			h.Masked = !h.Masked
		case 2:
			h.RSV1 = true
		}
		payload := []byte(strings.Repeat("é", random.IntN(90)))
		switch random.IntN(12) {
		case 0:
			payload = append(payload, 0xff)
		case 1:
			payload = append(payload, strings.Repeat("x", random.IntN(300))...)
		}
		if h.Masked && random.IntN(3) > 0 {
			h.Key = random.Uint32()
		}
		h.Length = uint64(len(payload))
		if h.Masked {
			frame.Mask(payload, h.Key)
		}
		if random.IntN(20) == 0 && h.Length < 126 { // not the shortest form
			wire = append(wire, 0x80|byte(h.Opcode), 126, 0, byte(h.Length))
		} else {
			wire = frame.Append(wire, h)
		}
		wire = append(wire, payload...)
	}
	return wire
}

// TestSendWholeIsSend holds the short way of sending against the long one.
func TestSendWholeIsSend(t *testing.T) {
	for _, side := range []frame.Side{frame.Server, frame.Client} {
		for _, opcode := range []frame.Opcode{frame.Text, frame.Binary, frame.Ping} {
			for _, payload := range []string{"", "a", "\xff", strings.Repeat("b", 125), strings.Repeat("b", 126), strings.Repeat("b", 0xffff), strings.Repeat("b", 0x10000)} {
				long, short := newEndpoint(config(side), nil), newEndpoint(config(side), nil)
				want, got := long.Send(opcode, []byte(payload)), short.SendWhole(opcode, []byte(payload))
				if got != want || string(short.Output()) != string(long.Output()) {
					t.Errorf("side %d, opcode %d, %d bytes: %v, want %v, or other bytes", side, opcode, len(payload), got, want)
				}
				long.SendClose(frame.StatusNormal, "", 0)
				short.SendClose(frame.StatusNormal, "", 0)
				if got, want := short.SendWhole(opcode, nil), long.Send(opcode, nil); got != want {
					t.Errorf("after the close frame: %v, want %v", got, want)
				}
			}
		}
	}
}

// Compression is agreed: the short way of sending gives what the long one does, and the peer reads it.
func TestSendWholeCompressed(t *testing.T) {
	long := newEndpoint(config(frame.Server), compressed(deflate.Params{}, true))
	short := newEndpoint(config(frame.Server), compressed(deflate.Params{}, true))
	client := newEndpoint(config(frame.Client), compressed(deflate.Params{}, false))
	for n, size := range []int{0, 255, 256, 5000, 256, 70000, 300} {
		payload := []byte(strings.Repeat("bellwire ", size/9+1)[:size])
		want, got := long.Send(frame.Text, payload), short.SendWhole(frame.Text, payload)
		wire := slices.Clone(short.Output())
		if got != want || string(wire) != string(long.Output()) {
			t.Fatalf("message %d: %v, want %v, or other bytes", n, got, want)
		}
		if squeezed := wire[0]&0x40 != 0; squeezed != (size >= 256) {
			t.Errorf("message %d of %d bytes: compressed %v", n, size, squeezed)
		}
		if got := feed(client, wire, 0); len(got) != 1 || got[0] != fmt.Sprintf("text %q", payload) {
			t.Fatalf("message %d: the peer reads %.60q", n, got)
		}
	}
}

// RFC 6455 5.4: while a message is open the short way of receiving takes no other for whole, whatever
// of the open one was looked at, and goes on once it has ended.
func TestWholeInsideAMessage(t *testing.T) {
	const mask = " 00000000 "
	for _, row := range []row{
		{"a text inside", `01 81` + mask + `"a" 81 81` + mask + `"b"`, []string{"closed 1002 RFC 6455 5.4"}, ""},
		{"a binary inside an empty one", `01 80` + mask + `82 80` + mask, []string{"closed 1002 RFC 6455 5.4"}, ""},
		{"after its end", `01 81` + mask + `"a" 80 81` + mask + `"b" 81 81` + mask + `"c"`, []string{`text "ab"`, `text "c"`}, ""},
		{"a ping inside", `01 81` + mask + `"a" 89 80` + mask + `80 81` + mask + `"b"`, []string{`ping ""`, `text "ab"`}, ""},
		{"a compressed text that was not agreed", `C1 81` + mask + `"a"`, []string{"closed 1002 RFC 6455 5.2"}, ""},
	} {
		wire := unhex(t, row.in)
		for size := 1; size <= len(wire); size++ {
			e := newEndpoint(config(frame.Server), nil)
			if got := wholeFeed(e, wire, size); !slices.Equal(got, row.events) {
				t.Errorf("%s, in pieces of %d: %q, want %q", row.rule, size, got, row.events)
			}
		}
	}
	// A part of the open message was handed out: its rest is no message of its own.
	e := newEndpoint(config(frame.Server), nil)
	e.Receive(unhex(t, `01 81`+mask+`"a"`), 0)
	if event := e.NextPart(0); event.Kind != Part || string(event.Payload) != "a" {
		t.Fatalf("got %v", event)
	}
	e.Receive(unhex(t, `81 81`+mask+`"b"`), 0)
	if event := e.NextWhole(0); event.Kind != Closed || event.Status != frame.StatusProtocol {
		t.Fatalf("got %v", event)
	}
}

// RFC 7692 6.1: RSV1 stands on the first frame of a message alone. On a continuation it fails the connection, compressed or not, by
// each way of receiving.
func TestRSV1OnContinuation(t *testing.T) {
	for _, first := range []string{"01", "02", "41", "42"} {
		for _, second := range []string{"40", "C0"} {
			wire := unhex(t, first+` 81 00000000 "a" `+second+` 81 00000000 "b"`)
			for name, take := range map[string]func(*Endpoint, []byte, int) []string{"Next": feed, "NextWhole": wholeFeed} {
				e := newEndpoint(config(frame.Server), compressed(deflate.Params{}, true))
				if got := take(e, wire, len(wire)); len(got) != 1 || !strings.HasPrefix(got[0], "closed 1002") {
					t.Errorf("%s then %s, by %s: %q", first, second, name, got)
				}
			}
		}
	}
}

// RFC 7692 7.2.3.2: a prepared message is compressed by itself; what follows it on a connection with takeover refers to
// nothing from before it that the peer would look for elsewhere.
func TestContextAfterPrepared(t *testing.T) {
	server := newEndpoint(config(frame.Server), compressed(deflate.Params{}, true))
	client := newEndpoint(config(frame.Client), compressed(deflate.Params{}, false))
	own, shared := strings.Repeat("each its own words, ", 30), strings.Repeat("for all the same, ", 50)
	prepared, err := Prepare(frame.Text, []byte(shared))
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		for _, text := range []string{own, own, shared, own, shared, shared, own} {
			if text == shared {
				err = server.SendPrepared(prepared)
			} else {
				err = server.SendWhole(frame.Text, []byte(text))
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := feed(client, server.Output(), 0); len(got) != 1 || got[0] != fmt.Sprintf("text %q", text) {
				t.Fatalf("the peer reads %.60q, want %.20q", got, text)
			}
		}
	}
}

// RFC 7692 6.1: of a message that is sent compressed and in parts, the first frame alone has RSV1.
func TestRSV1OfParts(t *testing.T) {
	server := newEndpoint(config(frame.Server), compressed(deflate.Params{}, true))
	client := newEndpoint(config(frame.Client), compressed(deflate.Params{}, false))
	random := rand.New(rand.NewPCG(7692, 6))
	part := make([]byte, 100<<10) // letters that do not repeat: the compressor keeps little of them back
	for i := range part {
		part[i] = 'a' + byte(random.IntN(26))
	}
	if err := server.BeginParts(frame.Text); err != nil {
		t.Fatal(err)
	}
	frames := 0
	var got []string
	for n := range 4 {
		if err := server.SendPart(part, n == 3); err != nil {
			t.Fatal(err)
		}
		wire := slices.Clone(server.Output())
		got = append(got, feed(client, wire, 0)...)
		for len(wire) > 0 {
			h, size := frame.Decode(wire)
			if h.RSV1 != (frames == 0) {
				t.Errorf("frame %d: RSV1 %v", frames, h.RSV1)
			}
			frames++
			wire = wire[size+int(h.Length):]
		}
	}
	if frames < 2 || len(got) != 1 || got[0] != fmt.Sprintf("text %q", strings.Repeat(string(part), 4)) {
		t.Errorf("%d frames, the peer reads %.80q", frames, got)
	}
}
