package sse_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/protocol/native"
	"github.com/bellwire/bellwire/protocol/sse"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/session"
)

// What is read can be written again and is read the same, and there is one way only to write it.
func FuzzParseID(f *testing.F) { // SE-02
	for _, id := range []string{
		"", "41", "a|e|1", "chat:lobby|kf3|41 metrics:cpu|a9x|7", "a|e|0", "a|e|01", "a|e|+1", "a|e|9007199254740992", "a|e|1 a|e|2",
		"a|e|1 ", "a|e|1\r\n", "a||1", "|e|1", "a|e|1|2", "chat:*|e|1", "b|e|1 a|e|1", strings.Repeat("a", 8193),
	} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		known, ok := sse.ParseID(id)
		if !ok {
			return
		}
		parts := strings.Split(id, " ")
		slices.Sort(parts)
		again := strings.Split(format(known), " ")
		slices.Sort(again)
		if !slices.Equal(parts, again) {
			t.Fatalf("%q is read as %q", id, again)
		}
		var p sse.Positions
		p.Start(known)
		for channel, position := range known {
			if got := rewritten(t, &p, channel, position); got != format(known) {
				t.Fatalf("%q is written as %q", id, got)
			}
		}
	})
}

var epochs = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}\z`)

// Whatever stands in a message, a browser reads one event with it, and its id is ours or that of before.
func FuzzEvent(f *testing.F) { // SE-01
	f.Add([]byte(`{"a":1}`+"\n"), "chat:lobby", "kf3", uint64(41), int64(time.Second))
	f.Add([]byte("a\r\n\r\nid: x\x00\n\ndata: y"), "a", "e\n\ndata: x", uint64(1), int64(1))
	f.Add([]byte("\r\r\n\n"), "a\n", "e", uint64(1)<<53, int64(-1))
	f.Add([]byte("\ufeff\u2028\xff"), "a|b", "e|1", uint64(0), int64(0))
	f.Fuzz(func(t *testing.T, text []byte, channel, epoch string, offset uint64, window int64) {
		want := dispatched{data: normal([]byte(strings.TrimRight(string(text), "\n"))), lastID: "before|e|1"}
		position := realtime.Position{Epoch: epoch, Offset: offset}
		hasID := realtime.CheckChannel(channel) == nil && epochs.MatchString(epoch) && offset <= realtime.OffsetMax
		p := sse.New(plain{native.JSON, text}, half)

		got, retry := one(t, p.Encode(0, &session.Notice{Window: time.Duration(window)}))
		if got != want || (retry != "") != (window > 0) {
			t.Fatalf("%q is read as %+v, to come back in %q", text, got, retry)
		}
		subscribed := p.Encode(0, &session.Subscribed{Channel: channel, Position: position})
		checkEvent(t, subscribed, want, hasID, positions{channel: position})
		published := p.EncodePublication(&realtime.Publication{Channel: channel, Epoch: epoch, Offset: offset})
		checkEvent(t, published, want, hasID && offset > 0, positions{channel: position})

		before := realtime.Position{Epoch: "e", Offset: 1}
		var line sse.Positions
		line.Start(positions{"before": before})
		both := positions{"before": before}
		both[channel] = position
		checkEvent(t, line.Rewrite(nil, subscribed), want, hasID, both)
	})
}

func checkEvent(t *testing.T, event []byte, want dispatched, hasID bool, id positions) {
	t.Helper()
	got, _ := one(t, event)
	if got.data != want.data {
		t.Fatalf("%q is read as %q", event, got.data)
	}
	if !hasID {
		if got.lastID != want.lastID {
			t.Fatalf("%q has the id %q", event, got.lastID)
		}
		return
	}
	if known, ok := sse.ParseID(got.lastID); !ok || !maps.Equal(known, id) {
		t.Fatalf("%q has the id %q, want %v", event, got.lastID, id)
	}
}
