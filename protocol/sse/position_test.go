package sse_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/seed"
	"github.com/bellwire/bellwire/protocol/sse"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/session"
)

// publication and subscribed are events with a position, whose data is x.

func publication(channel, epoch string, offset uint64) []byte {
	return over("x").EncodePublication(&realtime.Publication{Channel: channel, Epoch: epoch, Offset: offset})
}

func subscribed(channel, epoch string, offset uint64) []byte {
	position := realtime.Position{Epoch: epoch, Offset: offset}
	return over("x").Encode(0, &session.Subscribed{Channel: channel, Position: position})
}

// rewritten is the id of an event that tells a line a position.
func rewritten(t *testing.T, p *sse.Positions, channel string, position realtime.Position) string {
	t.Helper()
	got, _ := one(t, p.Rewrite(nil, subscribed(channel, position.Epoch, position.Offset)))
	return got.lastID
}

func TestTheIDNamesAllChannelsOfALine(t *testing.T) {
	for _, row := range []struct {
		rule   string
		known  positions
		events [][]byte
		want   []string // the event, or what stands before its "data: x"
	}{
		{
			"one channel", nil, [][]byte{subscribed("a", "e", 0), publication("a", "e", 1)},
			[]string{"id: a|e|0\n", "id: a|e|1\n"},
		},
		{
			"in the order in which they came", nil,
			[][]byte{subscribed("b", "e", 9), subscribed("a", "f", 0), publication("b", "e", 10)},
			[]string{"id: b|e|9\n", "id: b|e|9 a|f|0\n", "id: b|e|10 a|f|0\n"},
		},
		{
			"a name that begins another", nil,
			[][]byte{subscribed("ab", "e", 1), subscribed("a", "e", 2), subscribed("ab", "e", 3)},
			[]string{"id: ab|e|1\n", "id: ab|e|1 a|e|2\n", "id: ab|e|3 a|e|2\n"},
		},
		{
			"another epoch, and an offset that is smaller", nil,
			[][]byte{subscribed("a", "long-epoch", 1000), subscribed("a", "e", 2)},
			[]string{"id: a|long-epoch|1000\n", "id: a|e|2\n"},
		},
		{
			"what the client came with, by name",
			positions{"c": {Epoch: "e", Offset: 3}, "a": {Epoch: "e", Offset: 1}, "b": {Epoch: "e", Offset: 2}},
			[][]byte{subscribed("b", "e", 7), subscribed("0", "e", 1)},
			[]string{"id: a|e|1 b|e|7 c|e|3\n", "id: a|e|1 b|e|7 c|e|3 0|e|1\n"},
		},
		{
			"no id, none made", positions{"a": {Epoch: "e", Offset: 1}},
			[][]byte{over("x").Encode(0, &session.Unsubscribed{Channel: "a"}), over("x").Encode(0, &session.Notice{Window: 1e9})},
			[]string{"data: x\n\n", "retry: 500\ndata: x\n\n"},
		},
		{
			"SE-01 an id inside the data", nil,
			[][]byte{over("id: a|e|1").Encode(0, &session.Done{}), over("x\nid: a|e|1").Encode(0, &session.Done{})},
			[]string{"data: id: a|e|1\n\n", "data: x\ndata: id: a|e|1\n\n"},
		},
		{
			"SE-01 what the client cannot have come with",
			positions{"a\nb": {Epoch: "e", Offset: 1}, "c": {Epoch: "e\n"}, "d": {}, "e": {Epoch: "e", Offset: 1 << 53}},
			[][]byte{subscribed("a", "e", 1)}, []string{"id: a|e|1\n"},
		},
	} {
		t.Run(row.rule, func(t *testing.T) {
			var p sse.Positions
			p.Start(row.known)
			shared := bytes.Join(row.events, nil)
			for i, event := range row.events {
				got := string(p.Rewrite([]byte("before"), event))
				want := "before" + row.want[i]
				if !strings.HasSuffix(want, "\n\n") {
					want += "data: x\n\n"
				}
				if got != want {
					t.Errorf("event %d is %q, want %q", i, got, want)
				}
			}
			if got := bytes.Join(row.events, nil); !bytes.Equal(got, shared) {
				t.Errorf("the events, which other lines share, became %q", got)
			}
		})
	}
}

// What a line sends, read as a browser reads it: wherever the line ends, its last id names for each channel the position that
// was sent last.
func TestTheLastIDIsWhatHasBeenSent(t *testing.T) { // SE-02
	random := seed.Rand(t)
	for range 100 {
		checkLine(t, random)
	}
}

func checkLine(t *testing.T, random *rand.Rand) {
	t.Helper()
	known, sent := positions{}, positions{}
	for range random.IntN(3) {
		known[drawName(random)] = drawPosition(random)
	}
	var p sse.Positions
	p.Start(known)
	maps.Copy(sent, known)
	stream := fmt.Appendf(nil, "id: %s\n\n", format(known)) // a browser keeps the id of the line before
	for range 1 + random.IntN(30) {
		event, channel, position := drawEvent(random)
		complete := stream
		stream = p.Rewrite(stream, event)
		for end := len(complete); end < len(stream); end++ { // cut inside the event
			checkLastID(t, stream[:end], sent)
		}
		if channel != "" {
			sent[channel] = position
		}
		checkLastID(t, stream, sent)
	}
}

func checkLastID(t *testing.T, stream []byte, want positions) {
	t.Helper()
	id := read(stream).lastID
	got, ok := sse.ParseID(id)
	if ok != (len(want) > 0) || !maps.Equal(got, want) {
		t.Fatalf("%q ends with %q, want %v", stream, id, want)
	}
}

func drawName(random *rand.Rand) string {
	return []string{"a", "ab", "a/", "chat:a", "chat:b", "A"}[random.IntN(6)]
}

func drawPosition(random *rand.Rand) realtime.Position {
	return realtime.Position{Epoch: []string{"e", "e-2", "kf3"}[random.IntN(3)], Offset: 1 + random.Uint64N(1<<random.IntN(53))}
}

// drawEvent returns an event, and what its id says: "" where it has none.
func drawEvent(random *rand.Rand) (event []byte, channel string, position realtime.Position) {
	p := over([]string{`{"a":1}` + "\n", "a\r\n\r\nid: x|e|1", "", "id: x|e|1\n\n"}[random.IntN(4)])
	channel, position = drawName(random), drawPosition(random)
	whole := &realtime.Publication{Channel: channel, Epoch: position.Epoch, Offset: position.Offset}
	switch random.IntN(6) {
	case 0:
		return p.Encode(0, &session.Subscribed{Channel: channel, Position: position}), channel, position
	case 1:
		return p.Encode(0, &session.Subscribed{Channel: channel, Err: realtime.NewError(103, "no")}), "", realtime.Position{}
	case 2:
		return p.EncodePublication(whole.WithoutPosition()), "", realtime.Position{}
	case 3:
		return p.Encode(0, &session.Unsubscribed{Channel: channel}), "", realtime.Position{}
	}
	return p.EncodePublication(whole), channel, position
}

func TestALineOfManyChannels(t *testing.T) {
	var p sse.Positions
	var channels []string
	for i := range 1000 {
		channels = append(channels, fmt.Sprint(i))
		rewritten(t, &p, channels[i], realtime.Position{Epoch: "e", Offset: 1})
	}
	id := rewritten(t, &p, "500", realtime.Position{Epoch: "e", Offset: 2})
	parts := strings.Split(id, " ")
	for i, part := range parts {
		want := fmt.Sprintf("%d|e|1", i)
		if i == 500 {
			want = "500|e|2"
		}
		if part != want {
			t.Errorf("part %d is %s, want %s", i, part, want)
		}
	}
	if len(parts) != len(channels) || len(id) > sse.IDBytes(channels) {
		t.Errorf("the id has %d parts and %d bytes, at most %d", len(parts), len(id), sse.IDBytes(channels))
	}
}

func TestRewritingAllocatesNothing(t *testing.T) {
	var p sse.Positions
	var events [][]byte
	for i := range 32 {
		events = append(events, publication(fmt.Sprint("chat:", i), "kf3", uint64(i)+1))
	}
	dst := make([]byte, 0, 4<<10)
	pass := func() {
		for _, event := range events {
			dst = p.Rewrite(dst[:0], event)
		}
	}
	if n := testing.AllocsPerRun(100, pass); n != 0 { // it runs once before it counts
		t.Errorf("%v allocations", n)
	}
}

// A line may have more channels than an id can name: it then names none, for good.
func TestTooManyChannelsForAnID(t *testing.T) {
	var p sse.Positions
	for i := range 1200 {
		channel := fmt.Sprintf("channel-%d", i)
		event := p.Rewrite(nil, publication(channel, "e", 1))
		id, _, found := strings.Cut(strings.TrimPrefix(string(event), "id: "), "\n")
		if !found || len(id) > sse.IDBytesMax {
			t.Fatalf("channel %d: an id of %d bytes", i, len(id))
		}
		if positions, ok := sse.ParseID(id); ok && len(positions) != i+1 {
			t.Fatalf("channel %d: the id names %d", i, len(positions))
		} else if !ok && id != "" {
			t.Fatalf("channel %d: the id is %.40q", i, id)
		}
		if i == 1199 && id != "" {
			t.Error("the id is not empty in the end")
		}
	}
	if got := string(p.Rewrite(nil, publication("channel-0", "e", 2))); got != "id: \ndata: x\n\n" {
		t.Errorf("then %q", got)
	}
}
