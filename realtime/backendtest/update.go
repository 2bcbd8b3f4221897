package backendtest

import (
	"math"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
)

// updateRow is one update of key "k", whose value before it is present ("": absent) with version 1.
type updateRow struct {
	name    string
	present string
	update  broker.Update
	applied bool
	value   string // "": absent
	code    realtime.Code
}

func updateRows() []updateRow {
	set := func(v string) broker.Update { return broker.Update{Op: broker.OpSet, Value: text(v)} }
	setIf := func(version uint64) broker.Update {
		return broker.Update{Op: broker.OpSetIf, Version: version, Value: text(`"new"`)}
	}
	greater := func(v string) broker.Update { return broker.Update{Op: broker.OpSetGreater, Value: text(v)} }
	add := func(by float64) broker.Update { return broker.Update{Op: broker.OpIncrement, By: by} }
	remove := broker.Update{Op: broker.OpRemove}
	return []updateRow{
		{"STA-2 set an absent key", "", set("1"), true, "1", 0},
		{"STA-2 set a present key", "1", set(`{"a":null}`), true, `{"a":null}`, 0},
		{"STA-2 set the same value again is a change", "1", set("1"), true, "1", 0},
		{"STA-2 remove a present key", "1", remove, true, "", 0},
		{"STA-8 remove an absent key is not applied", "", remove, false, "", 0},
		{"STA-2 set_if the version is the present one", `"old"`, setIf(1), true, `"new"`, 0},
		{"STA-3 set_if another version is not applied", `"old"`, setIf(2), false, `"old"`, 0},
		{"STA-3 set_if 0 on a present key is not applied", `"old"`, setIf(0), false, `"old"`, 0},
		{"STA-2 set_if 0 on an absent key", "", setIf(0), true, `"new"`, 0},
		{"STA-3 set_if a version on an absent key is not applied", "", setIf(1), false, "", 0},
		{"STA-2 increment an absent key counts from 0", "", add(1), true, "1", 0},
		{"STA-2 increment", "41", add(1), true, "42", 0},
		{"STA-2 increment by a negative number", "1", add(-3), true, "-2", 0},
		{"STA-2 increment by 0 is a change", "1", add(0), true, "1", 0},
		{"STA-4 increment adds doubles", "0.1", add(0.2), true, "0.30000000000000004", 0},
		{"STA-4 the shortest form has no fraction of zero", "0.5", add(0.5), true, "1", 0},
		{"STA-4 minus zero is zero", "-0", add(math.Copysign(0, -1)), true, "0", 0},
		{"STA-4 a million is written with digits", "999999", add(1), true, "1000000", 0},
		{"STA-4 2^53+1 is not a double", "9007199254740993", add(0), true, "9007199254740992", 0},
		{"STA-4 digits up to 10^21", "1e20", add(0), true, "100000000000000000000", 0},
		{"STA-4 an exponent from 10^21", "1e21", add(0), true, "1e+21", 0},
		{"STA-4 small numbers with digits", "0.000001", add(0), true, "0.000001", 0},
		{"STA-4 very small numbers with an exponent", "0", add(1e-7), true, "1e-7", 0},
		{"STA-4 the smallest double", "5e-324", add(0), true, "5e-324", 0},
		{"STA-4 the largest double", "0", add(math.MaxFloat64), true, "1.7976931348623157e+308", 0},
		{"STA-4 a sum that is not finite", "1e308", add(1e308), false, "1e308", realtime.CodeBadRequest},
		{"STA-4 increment by infinity", "1", add(math.Inf(1)), false, "1", realtime.CodeBadRequest},
		{"STA-4 increment by NaN", "1", add(math.NaN()), false, "1", realtime.CodeBadRequest},
		{"STA-4 increment a text", `"1"`, add(1), false, `"1"`, realtime.CodeBadRequest},
		{"STA-4 increment null", "null", add(1), false, "null", realtime.CodeBadRequest},
		{"STA-4 increment an object", `{"n":1}`, add(1), false, `{"n":1}`, realtime.CodeBadRequest},
		{"STA-4 increment a number too large for a double", "1e400", add(1), false, "1e400", realtime.CodeBadRequest},
		{"STA-2 set_greater on an absent key", "", greater("-5"), true, "-5", 0},
		{"STA-2 set_greater with a greater number", "1", greater("1.5"), true, "1.5", 0},
		{"STA-2 set_greater keeps the number as it was written", "1", greater("1.50"), true, "1.50", 0},
		{"STA-3 set_greater with an equal number is not applied", "1", greater("1.0"), false, "1", 0},
		{"STA-3 set_greater with a less number is not applied", "10", greater("9"), false, "10", 0},
		{"STA-4 set_greater with a text", "1", greater(`"2"`), false, "1", realtime.CodeBadRequest},
		{"STA-4 set_greater with a text on an absent key", "", greater(`"2"`), false, "", realtime.CodeBadRequest},
		{"STA-4 set_greater on a text", `"a"`, greater("2"), false, `"a"`, realtime.CodeBadRequest},
		{"STA-4 set_greater with a number too large for a double", "1", greater("1e400"), false, "1", realtime.CodeBadRequest},
		{"STA-2 an op that does not exist", "1", broker.Update{Op: 99, Value: text("1")}, false, "1", realtime.CodeBadRequest},
		{"STA-2 no op", "1", broker.Update{Value: text("1")}, false, "1", realtime.CodeBadRequest},
		{"STA-2 set without a value", "1", broker.Update{Op: broker.OpSet}, false, "1", realtime.CodeBadRequest},
	}
}

func testUpdate(t *testing.T, open Open) {
	for _, row := range updateRows() {
		t.Run(row.name, func(t *testing.T) { testUpdateRow(t, open, row) })
	}
	t.Run("STA-4 bytes are not a number", func(t *testing.T) {
		f := newFixture(t, open)
		f.update(broker.Update{Op: broker.OpSet, Key: "k", Value: realtime.Binary([]byte("1"))})
		_, err := f.tryUpdate(broker.Update{Op: broker.OpIncrement, Key: "k", By: 1})
		f.wantCode(err, realtime.CodeBadRequest)
		_, err = f.tryUpdate(broker.Update{Op: broker.OpSetGreater, Key: "n", Value: realtime.Binary([]byte("1"))})
		f.wantCode(err, realtime.CodeBadRequest)
	})
	t.Run("POS-7 the version is the offset of the change", func(t *testing.T) {
		f := newFixture(t, open)
		f.publishMany(1, 3)
		updated := f.set("k", "1")
		f.publish("0")
		entry := f.state(broker.StateQuery{}).Entries[0]
		if updated.Version != 4 || updated.Position.Offset != 4 || entry.Version != 4 {
			t.Errorf("updated %+v, entry %+v", updated, entry)
		}
	})
	t.Run("STA-6 the number of keys is bounded", func(t *testing.T) {
		f := newFixture(t, open, func(ns *realtime.Namespace) { ns.StateKeysMax = 2 })
		f.set("a", "1")
		f.set("b", "1")
		_, err := f.tryUpdate(broker.Update{Op: broker.OpSet, Key: "c", Value: text("1")})
		f.wantCode(err, realtime.CodeLimitExceeded)
		_, err = f.tryUpdate(broker.Update{Op: broker.OpIncrement, Key: "c", By: 1})
		f.wantCode(err, realtime.CodeLimitExceeded)
		f.set("b", "2")
		f.update(broker.Update{Op: broker.OpRemove, Key: "a"})
		f.set("c", "1")
		f.wantOffsets("delivered", f.sink.Publications(room), span(1, 5)...)
	})
	t.Run("STA-6 the bytes are bounded", func(t *testing.T) {
		f := newFixture(t, open, func(ns *realtime.Namespace) { ns.StateBytesMax = 20 })
		long := broker.Update{Op: broker.OpSet, Key: "aa", Value: text(strings.Repeat("1", 18))}
		f.update(long)
		_, err := f.tryUpdate(broker.Update{Op: broker.OpSet, Key: "b", Value: text("1")})
		f.wantCode(err, realtime.CodeLimitExceeded)
		longer := long
		longer.Value = text(strings.Repeat("1", 19))
		_, err = f.tryUpdate(longer)
		f.wantCode(err, realtime.CodeLimitExceeded)
		f.set("aa", "1")
		f.set("b", "1")
	})
	t.Run("STA-6 settings that became smaller let the state shrink", func(t *testing.T) {
		f := newFixture(t, open)
		f.set("a", `"12345678"`)
		f.set("b", `"12345678"`)
		f.ns = namespace(func(ns *realtime.Namespace) { ns.StateKeysMax, ns.StateBytesMax = 1, 5 })
		f.set("a", `"1234567"`)
		f.update(broker.Update{Op: broker.OpRemove, Key: "b"})
		f.set("a", "1")
	})
}

func testUpdateRow(t *testing.T, open Open, row updateRow) {
	f := newFixture(t, open)
	top := uint64(0)
	if row.present != "" {
		f.set("k", row.present)
		top = 1
	}
	row.update.Key = "k"
	updated, err := f.tryUpdate(row.update)
	f.wantCode(err, row.code)
	if row.applied {
		top++
	}
	f.wantOffsets("delivered", f.sink.Publications(room), span(1, max(1, top))[:top]...)
	entries := f.state(broker.StateQuery{}).Entries
	var present realtime.Entry
	if len(entries) > 0 {
		present = entries[0]
	}
	if string(present.Value.Bytes) != row.value {
		t.Errorf("value %s, want %s", present.Value.Bytes, row.value)
	}
	if row.code != 0 {
		return
	}
	// STA-3
	if updated.Applied != row.applied || !samePayload(updated.Value, present.Value) || updated.Version != present.Version {
		t.Errorf("answer %+v, entry %+v", updated, present)
	}
	if updated.Position.Offset != top || updated.Position.Epoch == "" || updated.Duplicate {
		t.Errorf("answer %+v, want offset %d", updated, top)
	}
}
