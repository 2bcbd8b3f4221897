package endpoint

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

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
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 1))
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
			t.Fatalf("seed %d, pieces of %d of %x:\ngot  %q %s\nwant %q %s", seed, size, wire, got, gotOut, want, wantOut)
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
