package backendtest

import (
	"bytes"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
)

var epochGrammar = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

func testPositions(t *testing.T, open Open) {
	t.Run("POS-1 offsets begin at 1 and grow by 1", func(t *testing.T) {
		f := newFixture(t, open)
		for want := uint64(1); want <= 5; want++ {
			if got := f.publish("0").Position; got.Offset != want {
				t.Errorf("offset %d, want %d", got.Offset, want)
			}
		}
		f.wantOffsets("delivered", f.sink.Publications(room), span(1, 5)...)
	})
	t.Run("POS-1 the epoch is 1 to 32 bytes of its alphabet and the same everywhere", func(t *testing.T) {
		f := newFixture(t, open)
		before := f.epoch()
		published := f.publish("0")
		if !epochGrammar.MatchString(published.Position.Epoch) {
			t.Errorf("epoch %q", published.Position.Epoch)
		}
		epochs := []string{before, f.epoch(), f.history(broker.HistoryQuery{}).Epoch, f.state(broker.StateQuery{}).Epoch, f.sink.Publications(room)[0].Epoch}
		for _, e := range epochs {
			if e != published.Position.Epoch {
				t.Errorf("epochs differ: %q, want all %q", epochs, published.Position.Epoch)
			}
		}
	})
	t.Run("POS-1 channels have offsets of their own", func(t *testing.T) {
		f := newFixture(t, open)
		f.publishMany(1, 3)
		other := f.publishDraft(broker.Draft{Channel: "room:2", Payload: text("0")})
		if other.Position.Offset != 1 {
			t.Errorf("offset %d of the other channel, want 1", other.Position.Offset)
		}
	})
	t.Run("POS-2 prev is the offset before", func(t *testing.T) {
		f := newFixture(t, open)
		f.publishMany(1, 3)
		for _, p := range f.sink.Publications(room) {
			if p.Prev != p.Offset-1 {
				t.Errorf("offset %d has prev %d", p.Offset, p.Prev)
			}
		}
	})
	t.Run("POS-5 what is delivered is what is held, whole", testWhatIsDelivered(open))
	t.Run("POS-5 it is delivered when the answer comes", func(t *testing.T) {
		f := newFixture(t, open)
		for i := 1; i <= 20; i++ {
			f.publish("0")
			if got := len(f.sink.Publications(room)); got != i {
				t.Fatalf("%d delivered after %d answers", got, i)
			}
		}
	})
	t.Run("POS-8 from names user and connection, and is absent for the backend", func(t *testing.T) {
		f := newFixture(t, open)
		alice := realtime.Publisher{User: "alice", Connection: "c1"}
		f.publishDraft(broker.Draft{Channel: room, Payload: text("0"), From: alice})
		f.publish("0")
		f.update(broker.Update{Op: broker.OpSet, Key: "k", Value: text("0"), From: alice})
		for i, want := range []realtime.Publisher{alice, {}, alice} {
			if got := f.history(broker.HistoryQuery{}).Publications[i].From; got != want {
				t.Errorf("entry %d from %v, want %v", i, got, want)
			}
		}
	})
	t.Run("PUB-1 the answer is the position of the entry", func(t *testing.T) {
		f := newFixture(t, open)
		f.publish("0")
		published := f.publishDraft(broker.Draft{Channel: room, Payload: text(`"here"`)})
		page := f.history(broker.HistoryQuery{Since: at(published.Position.Epoch, published.Position.Offset-1)})
		if len(page.Publications) != 1 || string(page.Publications[0].Payload.Bytes) != `"here"` || published.Duplicate {
			t.Errorf("published %v, history %v", published, page)
		}
	})
	t.Run("PUB-2 the connection to skip goes with the entry", func(t *testing.T) {
		f := newFixture(t, open)
		f.publishDraft(broker.Draft{Channel: room, Payload: text("0"), SkipConnection: "c1"})
		if got := f.sink.Publications(room)[0].SkipConnection; got != "c1" {
			t.Errorf("skips %q, want c1", got)
		}
	})
}

func testWhatIsDelivered(open Open) func(t *testing.T) {
	return func(t *testing.T) {
		f := newFixture(t, open)
		binary := realtime.Binary([]byte{0, 0xff, '\n'})
		f.publishDraft(broker.Draft{Channel: room, ID: "p1", Payload: binary})
		f.publishDraft(broker.Draft{Channel: room, Payload: text(`{"a":[1]}`), From: realtime.Publisher{User: "bob", Connection: "c"}})
		f.update(broker.Update{Op: broker.OpSet, Key: "k", Value: text("1"), ID: "u1"})
		f.update(broker.Update{Op: broker.OpRemove, Key: "k"})
		delivered, held := f.sink.Publications(room), f.history(broker.HistoryQuery{}).Publications
		if len(delivered) != 4 || len(held) != 4 {
			t.Fatalf("%d delivered, %d held, want 4", len(delivered), len(held))
		}
		for i := range held {
			wantSame(t, delivered[i], held[i])
		}
		if got := held[0]; got.ID != "p1" || got.Payload.Encoding != realtime.EncodingBinary || !bytes.Equal(got.Payload.Bytes, binary.Bytes) || got.State != nil {
			t.Errorf("entry of bytes: %+v", got)
		}
		if got := held[2]; got.ID != "u1" || got.State == nil || got.State.Key != "k" || string(got.State.Value.Bytes) != "1" || got.State.Removed || !got.Payload.IsNone() {
			t.Errorf("entry of a set: %+v", got)
		}
		if got := held[3]; got.State == nil || !got.State.Removed || !got.State.Value.IsNone() {
			t.Errorf("entry of a remove: %+v", got)
		}
		for _, p := range held {
			if p.Time.IsZero() || p.Channel != room {
				t.Errorf("entry without time or channel: %+v", p)
			}
		}
	}
}

// wantSame compares what a subscriber sees.
func wantSame(t *testing.T, a, b *realtime.Publication) {
	t.Helper()
	same := a.Channel == b.Channel && a.Epoch == b.Epoch && a.Offset == b.Offset && a.Prev == b.Prev && a.ID == b.ID &&
		a.Time.Equal(b.Time) && a.From == b.From && samePayload(a.Payload, b.Payload) && (a.State == nil) == (b.State == nil)
	if same && a.State != nil {
		same = a.State.Key == b.State.Key && a.State.Removed == b.State.Removed && samePayload(a.State.Value, b.State.Value)
	}
	if !same {
		t.Errorf("entries differ: %+v and %+v", a, b)
	}
}

func samePayload(a, b realtime.Payload) bool {
	return a.Encoding == b.Encoding && bytes.Equal(a.Bytes, b.Bytes)
}

func testLogLimits(t *testing.T, open Open) {
	t.Run("POS-3 the newest entries within the count are held", func(t *testing.T) {
		f := newFixture(t, open, func(ns *realtime.Namespace) { ns.HistoryEntriesMax = 3 })
		for top := uint64(1); top <= 10; top++ {
			f.publish("0")
			f.wantOffsets("held", f.history(broker.HistoryQuery{}).Publications, span(top-min(top, 3)+1, top)...)
		}
	})
	t.Run("POS-3 the newest entries within the bytes are held", func(t *testing.T) {
		f := newFixture(t, open, func(ns *realtime.Namespace) { ns.HistoryBytesMax = 30 })
		for range 4 {
			f.publish(`"12345678"`) // 10 bytes
		}
		f.wantOffsets("held", f.history(broker.HistoryQuery{}).Publications, 2, 3, 4)
		f.publish(`"1234567890123456789"`) // 21 bytes
		f.wantOffsets("held", f.history(broker.HistoryQuery{}).Publications, 5)
	})
	t.Run("POS-3 an entry larger than the bytes is delivered and not held", func(t *testing.T) {
		f := newFixture(t, open, func(ns *realtime.Namespace) { ns.HistoryBytesMax = 10 })
		published := f.publish(`"1234567890"`)
		page := f.history(broker.HistoryQuery{Since: at(published.Position.Epoch, 0)})
		f.wantOffsets("delivered", f.sink.Publications(room), 1)
		f.wantOffsets("held", page.Publications)
		f.wantMissed(page.Missed, realtime.Missed{From: 1, To: 1})
		if f.publish("1").Position.Offset != 2 {
			t.Error("the next entry does not have offset 2")
		}
	})
	t.Run("POS-3 entries are held until their age is reached", func(t *testing.T) {
		f := newFixture(t, open)
		f.publish("1")
		f.control.Advance(30 * time.Second)
		f.publish("2")
		f.control.Advance(29 * time.Second)
		f.wantOffsets("after 59 s", f.history(broker.HistoryQuery{}).Publications, 1, 2)
		f.control.Advance(2 * time.Second)
		f.wantOffsets("after 61 s", f.history(broker.HistoryQuery{}).Publications, 2)
		f.control.Advance(30 * time.Second)
		f.wantOffsets("after 91 s", f.history(broker.HistoryQuery{}).Publications)
	})
	t.Run("POS-3 offsets of dropped entries are not used again", func(t *testing.T) {
		f := newFixture(t, open)
		stream := f.sink.Join(room)
		defer f.sink.Leave(room, stream)
		first := f.publish("1").Position
		f.control.Advance(2 * time.Minute)
		if second := f.publish("2").Position; second.Epoch != first.Epoch || second.Offset != 2 {
			t.Errorf("second position %v after %v", second, first)
		}
	})
	t.Run("POS-3 smaller settings take effect at the next use", func(t *testing.T) {
		f := newFixture(t, open)
		f.publishMany(1, 20)
		f.ns = namespace(func(ns *realtime.Namespace) { ns.HistoryEntriesMax = 5 })
		f.wantOffsets("held", f.history(broker.HistoryQuery{}).Publications, span(16, 20)...)
	})
	t.Run("POS-1 a channel with state alone has a log", func(t *testing.T) {
		f := newFixture(t, open, func(ns *realtime.Namespace) { ns.History = false })
		f.publish("1")
		updated := f.set("k", "1")
		if updated.Position.Offset != 2 || updated.Version != 2 {
			t.Errorf("update %+v, want offset and version 2", updated)
		}
		_, err := f.backend.History(t.Context(), f.ns, room, broker.HistoryQuery{Limit: 1})
		f.wantCode(err, realtime.CodeNotAvailable)
		f.wantOffsets("resumed", f.resume(since(updated.Position.Epoch, 0)).Publications, 1, 2)
	})
}

func testWithoutLog(t *testing.T, open Open) {
	t.Run("POS-4 publications have neither epoch nor offset", func(t *testing.T) {
		f := newFixture(t, open, volatile)
		for i := range 3 {
			if published := f.publish(strconv.Itoa(i)); !published.Position.IsZero() || published.Duplicate {
				t.Errorf("published %+v", published)
			}
		}
		delivered := f.sink.Publications(room)
		if len(delivered) != 3 {
			t.Fatalf("%d delivered, want 3", len(delivered))
		}
		for i, p := range delivered {
			if p.Epoch != "" || p.Offset != 0 || p.Prev != 0 || string(p.Payload.Bytes) != strconv.Itoa(i) {
				t.Errorf("delivered %+v", p)
			}
		}
	})
	t.Run("POS-4 a subscriber has no position", func(t *testing.T) {
		f := newFixture(t, open, volatile)
		f.publish("0")
		if r := f.resume(broker.ResumeQuery{}); !r.Position.IsZero() || r.Top != 0 || len(r.Publications) != 0 {
			t.Errorf("resumption %+v", r)
		}
	})
	t.Run("SUB-14 facets that the namespace does not have are not available", func(t *testing.T) {
		f := newFixture(t, open, volatile, func(ns *realtime.Namespace) { ns.Presence = false })
		_, err := f.backend.History(t.Context(), f.ns, room, broker.HistoryQuery{Limit: 1})
		f.wantCode(err, realtime.CodeNotAvailable)
		_, err = f.backend.State(t.Context(), f.ns, room, broker.StateQuery{Limit: 1})
		f.wantCode(err, realtime.CodeNotAvailable)
		_, err = f.tryUpdate(broker.Update{Op: broker.OpSet, Key: "k", Value: text("1")})
		f.wantCode(err, realtime.CodeNotAvailable)
		_, err = f.backend.Presence(t.Context(), f.ns, room, broker.PresenceQuery{Limit: 1})
		f.wantCode(err, realtime.CodeNotAvailable)
		f.wantCode(f.backend.Enter(t.Context(), f.ns, room, broker.Entrant{User: "a", Connection: "c"}), realtime.CodeNotAvailable)
		if delivered := f.sink.Publications(room); len(delivered) != 0 {
			t.Errorf("delivered %v", delivered)
		}
	})
}
