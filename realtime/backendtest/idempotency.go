package backendtest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
)

func testIdempotency(t *testing.T, open Open) {
	draft := broker.Draft{Channel: room, ID: "b6Jx", Payload: text(`"hi"`)}
	t.Run("POS-6 the same id and content is stored once (AP-11)", func(t *testing.T) {
		f := newFixture(t, open)
		first := f.publishDraft(draft)
		f.publish("0")
		again := f.publishDraft(draft)
		if first.Duplicate || !again.Duplicate || again.Position != first.Position {
			t.Errorf("first %+v, again %+v", first, again)
		}
		f.wantOffsets("delivered", f.sink.Publications(room), 1, 2)
	})
	t.Run("POS-6 another connection, and echo, make no other content", func(t *testing.T) {
		f := newFixture(t, open)
		f.publishDraft(draft)
		moved := draft
		moved.From, moved.SkipConnection = realtime.Publisher{User: "alice", Connection: "c2"}, "c2"
		if !f.publishDraft(moved).Duplicate {
			t.Error("not a duplicate")
		}
	})
	t.Run("POS-6 the same id with another content is a conflict (AP-11)", testConflicts(open, draft))
	t.Run("POS-6 ids of another channel do not count", func(t *testing.T) {
		f := newFixture(t, open)
		f.publishDraft(draft)
		other := draft
		other.Channel, other.Payload = "room:2", text("2")
		if f.publishDraft(other).Duplicate {
			t.Error("a duplicate of another channel")
		}
	})
	t.Run("POS-6 an id is known until its age, longer than its entry (AP-11)", func(t *testing.T) {
		f := newFixture(t, open)
		first := f.publishDraft(draft)
		f.control.Advance(4 * time.Minute)
		if again := f.publishDraft(draft); !again.Duplicate || again.Position != first.Position {
			t.Errorf("after 4 min: %+v, first %+v", again, first)
		}
		f.control.Advance(61 * time.Second)
		if again := f.publishDraft(draft); again.Duplicate || again.Position == first.Position {
			t.Errorf("after 5 min: %+v, first %+v", again, first)
		}
	})
	t.Run("POS-6 the number of ids is bounded, the oldest goes (AP-11)", func(t *testing.T) {
		f := newFixture(t, open, func(ns *realtime.Namespace) { ns.IdempotencyCountMax = 10 })
		publish := func(i int) broker.Published {
			return f.publishDraft(broker.Draft{Channel: room, ID: fmt.Sprint("id-", i), Payload: text("0")})
		}
		for i := range 11 {
			publish(i)
		}
		if !publish(1).Duplicate || !publish(10).Duplicate {
			t.Error("one of the newest 10 is forgotten")
		}
		if publish(0).Duplicate {
			t.Error("the eleventh newest is remembered")
		}
	})
	t.Run("POS-6 the longest id counts to its last byte (AP-11)", func(t *testing.T) {
		f := newFixture(t, open)
		a, b := draft, draft
		a.ID, b.ID = strings.Repeat("x", 63)+"a", strings.Repeat("x", 63)+"b"
		f.publishDraft(a)
		if f.publishDraft(b).Duplicate {
			t.Error("two ids that differ in byte 64 are taken for one")
		}
	})
	t.Run("POS-6 without id nothing is a duplicate", func(t *testing.T) {
		f := newFixture(t, open)
		for range 2 {
			if f.publish("1").Duplicate {
				t.Error("a duplicate without id")
			}
		}
	})
	t.Run("POS-6 without log it is delivered once", func(t *testing.T) {
		f := newFixture(t, open, volatile)
		f.publishDraft(draft)
		if again := f.publishDraft(draft); !again.Duplicate || !again.Position.IsZero() {
			t.Errorf("again %+v", again)
		}
		if got := len(f.sink.Publications(room)); got != 1 {
			t.Errorf("%d delivered, want 1", got)
		}
	})
	t.Run("STA-5 a duplicate update is answered as the first was", testDuplicateUpdates(open))
	t.Run("STA-5 an update that was refused does not use its id", func(t *testing.T) {
		f := newFixture(t, open)
		f.set("k", `"text"`)
		increment := broker.Update{Op: broker.OpIncrement, Key: "k", By: 1, ID: "i1"}
		_, err := f.tryUpdate(increment)
		f.wantCode(err, realtime.CodeBadRequest)
		f.set("k", "1")
		if updated := f.update(increment); updated.Duplicate || string(updated.Value.Bytes) != "2" {
			t.Errorf("updated %+v", updated)
		}
	})
}

func testConflicts(open Open, draft broker.Draft) func(t *testing.T) {
	return func(t *testing.T) {
		f := newFixture(t, open)
		f.publishDraft(draft)
		for name, change := range map[string]func(d *broker.Draft){
			"other JSON":           func(d *broker.Draft) { d.Payload = text(`"ho"`) },
			"the bytes as binary":  func(d *broker.Draft) { d.Payload = realtime.Binary(d.Payload.Bytes) },
			"a longer payload":     func(d *broker.Draft) { d.Payload = text(`"hi" `) },
			"a payload of nothing": func(d *broker.Draft) { d.Payload = realtime.Binary(nil) },
		} {
			other := draft
			change(&other)
			_, err := f.backend.Publish(t.Context(), f.ns, other)
			if realtime.CodeOf(err) != realtime.CodeConflict {
				t.Errorf("%s: %v", name, err)
			}
		}
		_, err := f.tryUpdate(broker.Update{ID: draft.ID, Op: broker.OpSet, Key: "k", Value: draft.Payload})
		f.wantCode(err, realtime.CodeConflict)
		f.wantOffsets("delivered", f.sink.Publications(room), 1)
		if !f.publishDraft(draft).Duplicate {
			t.Error("the first content is not known any more after the conflicts")
		}
	}
}

func testDuplicateUpdates(open Open) func(t *testing.T) {
	return func(t *testing.T) {
		f := newFixture(t, open)
		increment := broker.Update{Op: broker.OpIncrement, Key: "n", By: 2, ID: "i1"}
		first := f.update(increment)
		f.update(broker.Update{Op: broker.OpIncrement, Key: "n", By: 5})
		again := f.update(increment)
		if !again.Duplicate || string(again.Value.Bytes) != "2" || again.Version != first.Version || again.Position != first.Position || !again.Applied {
			t.Errorf("first %+v, again %+v", first, again)
		}
		refused := broker.Update{Op: broker.OpSetIf, Key: "n", Version: 99, Value: text("0"), ID: "s1"}
		f.update(refused)
		f.set("n", "0")
		if again := f.update(refused); !again.Duplicate || again.Applied || string(again.Value.Bytes) != "7" || again.Version != 2 {
			t.Errorf("a condition that did not hold, again: %+v", again)
		}
		f.wantOffsets("delivered", f.sink.Publications(room), 1, 2, 3)
		for _, change := range []func(u *broker.Update){
			func(u *broker.Update) { u.By = 3 }, func(u *broker.Update) { u.Key = "m" }, func(u *broker.Update) { u.Op = broker.OpRemove },
		} {
			other := increment
			change(&other)
			_, err := f.tryUpdate(other)
			f.wantCode(err, realtime.CodeConflict)
		}
	}
}
