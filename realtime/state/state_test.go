package state

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
)

// The rules of the five operations are rows of realtime/backendtest; here is what only the package itself can show.

var wide = Limits{KeysMax: 1000, BytesMax: 1 << 20}

func apply(t *testing.T, s *State, u broker.Update, version uint64) Change {
	t.Helper()
	change, err := s.Evaluate(&u, wide)
	if err != nil {
		t.Fatal(err)
	}
	if change.Applied {
		s.Commit(u.Key, change, version)
	}
	return change
}

func set(key, value string) broker.Update {
	return broker.Update{Op: broker.OpSet, Key: key, Value: realtime.JSON([]byte(value))}
}

func TestEvaluateChangesNothing(t *testing.T) {
	var s State
	apply(t, &s, set("a", "1"), 1)
	for _, u := range []broker.Update{
		set("a", "2"), set("b", "2"), {Op: broker.OpRemove, Key: "a"}, {Op: broker.OpIncrement, Key: "a", By: 1},
		{Op: broker.OpSetGreater, Key: "a", Value: realtime.JSON([]byte("5"))}, {Op: broker.OpSetIf, Key: "a", Version: 1, Value: realtime.JSON([]byte("5"))},
	} {
		if change, err := s.Evaluate(&u, wide); err != nil || !change.Applied {
			t.Errorf("%+v: %+v, %v", u, change, err)
		}
		if e, _ := s.Get("a"); string(e.Value.Bytes) != "1" || e.Version != 1 || s.Len() != 1 {
			t.Errorf("%+v changed the state to %+v", u, e)
		}
	}
}

func TestAPageIsNotChangedByLaterUpdates(t *testing.T) {
	var s State
	apply(t, &s, set("a", "1"), 1)
	apply(t, &s, set("b", "1"), 2)
	page, _ := s.Page("", 10, 100)
	all := s.All()
	apply(t, &s, set("a", "2"), 3)
	apply(t, &s, broker.Update{Op: broker.OpRemove, Key: "b"}, 4)
	for _, entries := range [][]realtime.Entry{page, all} {
		if len(entries) != 2 || entries[0].Key != "a" || string(entries[0].Value.Bytes) != "1" || entries[1].Key != "b" {
			t.Errorf("entries %v", entries)
		}
	}
}

func TestBytesAreCountedExactly(t *testing.T) {
	var s State
	model := map[string]string{}
	for i := range 2000 {
		key := strconv.Itoa(i * 7919 % 50)
		if i%3 == 0 {
			apply(t, &s, broker.Update{Op: broker.OpRemove, Key: key}, uint64(i+1))
			delete(model, key)
		} else {
			model[key] = strconv.Itoa(i * i)
			apply(t, &s, set(key, model[key]), uint64(i+1))
		}
		want := 0
		for k, v := range model {
			want += len(k) + len(v) + EntryOverheadBytes
		}
		if s.Bytes() != want || s.Len() != len(model) {
			t.Fatalf("step %d: %d bytes of %d keys, want %d of %d", i, s.Bytes(), s.Len(), want, len(model))
		}
	}
	if !slices.IsSortedFunc(s.entries, func(a, b *realtime.Entry) int { return slices.Compare([]byte(a.Key), []byte(b.Key)) }) {
		t.Error("keys are not in order")
	}
}

func TestSTA4Numbers(t *testing.T) {
	for text, want := range map[string]bool{
		"0": true, "-0": true, "1": true, "-1": true, "10": true, "1.5": true, "1e3": true, "1E+3": true, "1e-3": true, "0.0": true, "0e0": true,
		"5e-324": true, "1.7976931348623157e308": true, "123456789012345678901234567890": true, "1e-400": true,
		"": false, "-": false, "+1": false, "01": false, "-01": false, "1.": false, ".5": false, "1e": false, "1e+": false, "1.e3": false,
		"0x10": false, "1_000": false, "Inf": false, "NaN": false, "infinity": false, " 1": false, "1 ": false, "1a": false, "--1": false,
		"null": false, "true": false, `"1"`: false, "[1]": false, "1e400": false, "-1e400": false, "1e1e1": false,
	} {
		if _, ok := parseNumber(realtime.JSON([]byte(text))); ok != want {
			t.Errorf("%q is a number: %t, want %t", text, ok, want)
		}
	}
	if _, ok := parseNumber(realtime.Binary([]byte("1"))); ok {
		t.Error("bytes are a number")
	}
}

// STA-4: what is written reads back as the same double, is a JSON number, and no shorter digits do so.
func FuzzNumber(f *testing.F) {
	for _, n := range []float64{0, 1, -1, 0.1, 1e21, 1e20, 1e-6, 1e-7, 5e-324, math.MaxFloat64, 1 << 53, 123456.789, math.Copysign(0, -1)} {
		f.Add(math.Float64bits(n))
	}
	f.Fuzz(func(t *testing.T, bits uint64) {
		number := math.Float64frombits(bits)
		if math.IsNaN(number) || math.IsInf(number, 0) {
			t.Skip()
		}
		text := appendNumber(nil, number)
		back, ok := parseNumber(realtime.JSON(text))
		if !ok || back != number {
			t.Fatalf("%v is written %s and read %v", number, text, back)
		}
		if shortest := strconv.FormatFloat(number, 'e', -1, 64); digitsOf(string(text)) != digitsOf(shortest) {
			t.Fatalf("%v is written %s, its shortest digits are those of %s", number, text, shortest)
		}
	})
}

// digitsOf is the significant digits of a number.
func digitsOf(text string) string {
	mantissa, _, _ := strings.Cut(text, "e")
	return strings.Trim(strings.NewReplacer("-", "", ".", "").Replace(mantissa), "0")
}
