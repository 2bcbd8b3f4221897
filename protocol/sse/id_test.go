package sse_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/protocol/sse"
	"github.com/bellwire/bellwire/realtime"
)

type positions = map[string]realtime.Position

func TestSE02OnlyIDsOfOursAreRead(t *testing.T) {
	name := strings.Repeat("n", 255)
	epoch := strings.Repeat("e", 32)
	for _, row := range []struct {
		rule, id string
		want     positions // nil: no id of ours
	}{
		{"one", "chat:lobby|kf3|41", positions{"chat:lobby": {Epoch: "kf3", Offset: 41}}},
		{
			"two", "chat:lobby|kf3|41 metrics:cpu|a9x|7",
			positions{"chat:lobby": {Epoch: "kf3", Offset: 41}, "metrics:cpu": {Epoch: "a9x", Offset: 7}},
		},
		{"the place before the first entry", "a|e|0", positions{"a": {Epoch: "e"}}},
		{"the largest", name + "|" + epoch + "|9007199254740991", positions{name: {Epoch: epoch, Offset: 1<<53 - 1}}},
		{"every sign of an epoch", "a|AZaz09_-|1", positions{"a": {Epoch: "AZaz09_-", Offset: 1}}},
		{"every sign of a name", "n_-:a-./=@+~,:|e|1", positions{"n_-:a-./=@+~,:": {Epoch: "e", Offset: 1}}},
		{"names that differ in a letter", "a|e|1 A|e|1", positions{"a": {Epoch: "e", Offset: 1}, "A": {Epoch: "e", Offset: 1}}},

		{"empty", "", nil},
		{"foreign: a number", "41", nil},
		{"foreign: a number of two parts", "1526919030474-55", nil},
		{"foreign: a UUID", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", nil},
		{"foreign: JSON", `[{"topic":"a","partition":0,"offset":1}]`, nil},
		{"foreign: a wish for all", "*", nil},
		{"ancient: without epoch", "chat:lobby|41", nil},
		{"a field more", "a|e|1|2", nil},
		{"a bar at the end", "a|e|1|", nil},
		{"a bar at the beginning", "|a|e|1", nil},
		{"no name", "|e|1", nil},
		{"NAM-1 a name of 256 bytes", name + "n|e|1", nil},
		{"NAM-1 a letter that is none", "caf\u00e9|e|1", nil},
		{"NAM-2 nothing after the namespace", "chat:|e|1", nil},
		{"NAM-4 a pattern", "chat:*|e|1", nil},
		{"POS-1 no epoch", "a||1", nil},
		{"POS-1 an epoch of 33 bytes", "a|" + epoch + "e|1", nil},
		{"POS-1 a sign that is none", "a|e.f|1", nil},
		{"no offset", "a|e|", nil},
		{"a plus", "a|e|+1", nil},
		{"a minus", "a|e|-1", nil},
		{"a zero before", "a|e|01", nil},
		{"two zeros", "a|e|00", nil},
		{"hexadecimal", "a|e|0x1", nil},
		{"an underscore", "a|e|1_0", nil},
		{"a fraction", "a|e|1.0", nil},
		{"an exponent", "a|e|1e3", nil},
		{"digits of another script", "a|e|\u0661", nil},
		{"MSG-7 an offset too large", "a|e|9007199254740992", nil},
		{"an offset of more than 64 bits", "a|e|18446744073709551617", nil},
		{"a channel twice", "a|e|1 a|e|2", nil},
		{"a channel twice, the same", "a|e|1 b|e|1 a|e|1", nil},
		{"two spaces", "a|e|1  b|e|1", nil},
		{"a space before", " a|e|1", nil},
		{"a space after", "a|e|1 ", nil},
		{"a space alone", " ", nil},
		{"a tab between", "a|e|1\tb|e|1", nil},
		{"a comma between", "a|e|1,b|e|1", nil},
		{"LF", "a|e|1\nb|e|1", nil},
		{"CRLF at the end", "a|e|1\r\n", nil},
		{"CRLF and a header", "a|e|1\r\nSet-Cookie: x=y", nil},
		{"NUL", "a|e|1\x00", nil},
		{"escaped", "a%7Ce%7C1", nil},
		{"one part that is wrong among good ones", "a|e|1 b|e|x c|e|1", nil},
		{"8 KiB of one sign", strings.Repeat("a", 8<<10), nil},
		{"8 KiB of spaces", strings.Repeat(" ", 8<<10), nil},
	} {
		t.Run(row.rule, func(t *testing.T) {
			got, ok := sse.ParseID(row.id)
			if ok != (row.want != nil) || !maps.Equal(got, row.want) {
				t.Errorf("%q gives %v, %t, want %v", row.id, got, ok, row.want)
			}
			if !ok && got != nil {
				t.Errorf("%q is refused with %v", row.id, got)
			}
		})
	}
}

// Every prefix of an id is either refused or what it says as a whole.
func TestSE02EveryPrefix(t *testing.T) {
	const id = "chat:lobby|kf3|41 metrics:cpu|a9x|7"
	for end := range len(id) {
		want := "" // no id of ours
		switch end {
		case len("chat:lobby|kf3|4"), len("chat:lobby|kf3|41"):
			want = id[:end]
		}
		if got, _ := sse.ParseID(id[:end]); format(got) != want {
			t.Errorf("%q gives %q, want %q", id[:end], format(got), want)
		}
	}
}

func TestSE02TheLargestIDs(t *testing.T) {
	id := func(parts, partBytes, lastBytes int) string {
		var list []string
		for i := range parts - 1 {
			list = append(list, fmt.Sprintf("%0*d|e|1", partBytes-len("|e|1"), i))
		}
		return strings.Join(append(list, strings.Repeat("n", lastBytes-len("|e|1"))+"|e|1"), " ")
	}
	for _, row := range []struct {
		rule string
		id   string
		size int
		want bool
	}{
		{"1,000 parts", id(1000, 7, 7), 7999, true},
		{"1,001 parts", id(1001, 7, 7), 8007, false},
		{"8 KiB", id(32, 255, 256), 8192, true},
		{"8 KiB and a byte", id(32, 255, 257), 8193, false},
	} {
		if _, got := sse.ParseID(row.id); got != row.want || len(row.id) != row.size {
			t.Errorf("%s, %d bytes: %t", row.rule, len(row.id), got)
		}
	}
}

func TestTheIDFitsItsBound(t *testing.T) {
	name := strings.Repeat("n", 255)
	for _, row := range []struct {
		rule     string
		channels []string
		want     int
	}{
		{"none", nil, 0},
		{"one", []string{"a"}, 1 + 1 + 32 + 1 + 16},
		{"two and the space between", []string{"a", "chat:lobby"}, 51 + 1 + 60},
		{"patterns count nothing", []string{"*", "a", "chat:*"}, 51},
		{"patterns alone", []string{"*"}, 0},
		{"NAM-1 the longest", []string{name}, 305},
	} {
		t.Run(row.rule, func(t *testing.T) {
			if got := sse.IDBytes(row.channels); got != row.want {
				t.Errorf("%d bytes, want %d", got, row.want)
			}
			var p sse.Positions
			var id string
			for _, channel := range row.channels {
				if !realtime.IsPattern(channel) {
					id = rewritten(t, &p, channel, realtime.Position{Epoch: strings.Repeat("e", 32), Offset: realtime.OffsetMax})
				}
			}
			if len(id) != row.want {
				t.Errorf("the longest is %d bytes, want %d", len(id), row.want)
			}
		})
	}
}

// format is how an id is written, the channels in the order of their names.
func format(known positions) string {
	var parts []string
	for _, channel := range slices.Sorted(maps.Keys(known)) {
		parts = append(parts, fmt.Sprintf("%s|%s|%d", channel, known[channel].Epoch, known[channel].Offset))
	}
	return strings.Join(parts, " ")
}
