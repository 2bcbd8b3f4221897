package realtime_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/realtime"
)

func TestErrorKeepsItsCodeThroughWrapping(t *testing.T) {
	err := fmt.Errorf("publishing: %w", realtime.NewError(realtime.CodeConflict, "draw a new id"))
	if realtime.CodeOf(err) != realtime.CodeConflict || !errors.Is(err, &realtime.Error{Code: realtime.CodeConflict}) {
		t.Errorf("%v lost its code", err)
	}
	if errors.Is(err, &realtime.Error{Code: realtime.CodeTooLarge}) || errors.Is(err, errors.New("conflict")) {
		t.Errorf("%v is what it is not", err)
	}
	if got := realtime.AsError(err).Message; got != "draw a new id" {
		t.Errorf("message %q", got)
	}
}

// I15: what a client is told never carries internals.
func TestErrorOfAnotherKindIsInternalAndSaysNothing(t *testing.T) {
	err := realtime.AsError(errors.New("dial tcp 10.0.0.7:4222: refused"))
	if err.Code != realtime.CodeInternal || strings.Contains(err.Error(), "10.0.0.7") {
		t.Errorf("%v", err)
	}
}

func TestErrorOfNilIsNone(t *testing.T) {
	if realtime.AsError(nil) != nil || realtime.CodeOf(nil) != 0 {
		t.Error("nil has a code")
	}
}

func TestErrorTextHasNameNumberAndMessage(t *testing.T) {
	if got := realtime.Errorf(realtime.CodeTooLarge, "%d bytes", 7).Error(); got != "too_large (110): 7 bytes" {
		t.Error(got)
	}
	if got := realtime.NewError(realtime.CodeNotFound, "").Message; got != realtime.CodeNotFound.Meaning() || got == "" {
		t.Errorf("message %q", got)
	}
}

// COD-1: the range decides, also for codes nobody knows yet.
func TestCodeRangesSayWhetherToRetry(t *testing.T) {
	rows := []struct {
		first, last realtime.Code
		kind        realtime.Kind
		retry       bool
	}{
		{100, 149, realtime.KindError, false}, {150, 199, realtime.KindError, true},
		{300, 349, realtime.KindUnsubscribe, false}, {350, 399, realtime.KindUnsubscribe, true},
		{4400, 4499, realtime.KindDisconnect, false}, {4500, 4599, realtime.KindDisconnect, true},
	}
	for _, row := range rows {
		for _, c := range []realtime.Code{row.first, row.first + 1, row.last} {
			if c.Kind() != row.kind || c.Retry() != row.retry {
				t.Errorf("%d: kind %d, retry %t", c, c.Kind(), c.Retry())
			}
		}
	}
	for _, c := range []realtime.Code{1000, 1002, 1003, 1007, 1008, 1009, 1010} {
		if c.Retry() || c.Kind() != 0 {
			t.Errorf("%d: retry %t, kind %d", c, c.Retry(), c.Kind())
		}
	}
	for _, c := range []realtime.Code{1001, 1005, 1006, 1011, 1012, 1013, 1015, 3000, 4000, 4999} {
		if !c.Retry() {
			t.Errorf("%d says never", c)
		}
	}
}

func TestCodesHaveNamesThatLeadBack(t *testing.T) {
	for c := range realtime.Code(5000) {
		name := c.Name()
		back, ok := realtime.CodeByName(name)
		if known := name != ""; known != ok || known && back != c || known != (c.Meaning() != "") {
			t.Errorf("%d: name %q leads to %d %t", c, name, back, ok)
		}
	}
}
