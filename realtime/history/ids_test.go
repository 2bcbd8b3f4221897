package history_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/bellwire/bellwire/realtime/history"
)

func TestPOS6IDsAreKnownUntilTheirAge(t *testing.T) {
	var w history.IDs[int]
	w.Add("a", history.Hash{1}, 11, start)
	w.Add("b", history.Hash{2}, 22, start.Add(time.Second))
	for _, row := range []struct {
		after time.Duration
		known string
	}{{0, "a b "}, {time.Minute - 1, "a b "}, {time.Minute, "b "}, {time.Minute + time.Second, ""}} {
		w.Trim(time.Minute, 10, start.Add(row.after))
		known := ""
		for _, id := range []string{"a", "b", "c"} {
			if _, _, found := w.Find(id); found {
				known += id + " "
			}
		}
		if known != row.known {
			t.Errorf("after %v: %q, want %q", row.after, known, row.known)
		}
	}
	if w.Len() != 0 || w.Bytes() != 0 {
		t.Errorf("%d ids and %d bytes are left", w.Len(), w.Bytes())
	}
}

func TestPOS6TheAnswerAndTheHashAreTheFirst(t *testing.T) {
	var w history.IDs[int]
	w.Add("a", history.Hash{1}, 11, start)
	if hash, answer, found := w.Find("a"); !found || hash != (history.Hash{1}) || answer != 11 {
		t.Errorf("%v %v %v", hash, answer, found)
	}
	defer func() {
		if recover() == nil {
			t.Error("an id was added twice")
		}
	}()
	w.Add("a", history.Hash{2}, 22, start)
}

func TestPOS6TheNumberOfIDsIsBounded(t *testing.T) { // AP-11: a million ids
	var w history.IDs[int]
	for i := range 1_000_000 {
		w.Add(fmt.Sprint(i), history.Hash{}, i, start)
		w.Trim(time.Minute, 100, start)
		if w.Len() > 100 {
			t.Fatalf("%d ids", w.Len())
		}
	}
	for i := 999_899; i < 1_000_000; i++ {
		if _, answer, found := w.Find(fmt.Sprint(i)); found != (i >= 999_900) || found && answer != i {
			t.Errorf("id %d: found %t", i, found)
		}
	}
	if want := history.IDsOverheadBytes + 100*(history.IDOverheadBytes+6); w.Bytes() != want {
		t.Errorf("%d bytes, want %d", w.Bytes(), want)
	}
	if oldest, found := w.OldestTime(); !found || !oldest.Equal(start) {
		t.Errorf("oldest %v %t", oldest, found)
	}
	w.Trim(time.Minute, 0, start)
	if w.Len() != 0 {
		t.Error("a count of 0 keeps ids")
	}
}
