package endpoint

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/websocket/deflate"
	"github.com/bellwire/bellwire/websocket/frame"
)

// large is text that is inflated in several steps, which do not end between characters.
var large = strings.Repeat("xé€🔔", InflateStepBytes*4/10)

// sent are the frames in which a client sends texts, compressed with takeover; each in as many fragments.
func sent(t *testing.T, fragments int, texts ...string) (wire []byte) {
	t.Helper()
	client := newEndpoint(config(frame.Client), compressed(deflate.Params{}, false))
	for _, text := range texts {
		if err := client.BeginParts(frame.Text); err != nil {
			t.Fatal(err)
		}
		for i := range fragments {
			part := text[len(text)*i/fragments : len(text)*(i+1)/fragments]
			if err := client.SendPart([]byte(part), i == fragments-1); err != nil {
				t.Fatal(err)
			}
		}
	}
	return client.Output()
}

// held feeds a server and puts it off at each event of kind Inflating whose number, counted over all, is in puts, after
// which the input is overwritten. It returns the other events and how many messages took longer.
func held(t *testing.T, e *Endpoint, wire []byte, size int, puts func(int) bool) (lines []string, longer int) {
	t.Helper()
	count := 0
	for piece := range slices.Chunk(wire, size) {
		input := bytes.Clone(piece)
		e.Receive(input, 0)
		for ev := e.Next(0); ev.Kind != None; ev = e.Next(0) {
			if ev.Kind != Inflating {
				lines = append(lines, describe(ev))
				continue
			}
			if ev.First {
				longer++
			}
			if puts(count) {
				e.Hold()
				clear(input)
			}
			count++
		}
	}
	return lines, longer
}

// CP-02: a large message is inflated in steps, and may be put off after each: what is handed out is the same, with all that
// stands before and behind it in the input.
func TestInflatesInSteps(t *testing.T) {
	ping := unhex(t, `89 82 00000000 "hi"`)
	want := []string{`text "small"`, `ping "hi"`, `text "` + large + `"`, `ping "hi"`, `text "` + large + `"`, `text "small"`}
	for _, fragments := range []int{1, 3} {
		wire := sent(t, fragments, "small", large, large, "small")
		first := sent(t, fragments, "small")
		rest := sent(t, fragments, "small", large)[len(first):]
		wire = slices.Concat(first, ping, rest, ping, wire[len(first)+len(rest):])
		for _, size := range []int{len(wire), 500, 16} {
			for put := range 12 {
				e := newEndpoint(config(frame.Server), compressed(deflate.Params{}, true))
				// At one of the first steps; and at several.
				got, longer := held(t, e, wire, size, func(n int) bool { return n == put || put > 8 && n%put == 1 })
				if !slices.Equal(got, want) {
					t.Fatalf("%d fragments, pieces of %d, put off at %d: %d events: %.80q", fragments, size, put, len(got), got)
				}
				if longer != 2 {
					t.Fatalf("%d messages took longer", longer)
				}
				if e.receiver != nil {
					t.Fatal("something is held at rest")
				}
			}
		}
	}
}

// A message that can be inflated by one call is.
func TestInflatesAtOnce(t *testing.T) {
	e := newEndpoint(config(frame.Server), compressed(deflate.Params{}, true))
	got, longer := held(t, e, sent(t, 1, strings.Repeat("x", InflateStepBytes-1)), 1<<20, func(int) bool { return true })
	if len(got) != 1 || longer != 0 {
		t.Errorf("%d events, %d that took longer", len(got), longer)
	}
}

// No call inflates more than a step, and a rule that is broken late is.
func TestInflatesToTheEnd(t *testing.T) {
	for name, row := range map[string]struct {
		text  string
		steps int
		want  string
	}{
		"too large":       {strings.Repeat("x", 10*InflateStepBytes), 3, "closed 1009 RFC 6455 10.4"},
		"no text":         {strings.Repeat("x", 2*InflateStepBytes) + "\xff", 2, "closed 1007 RFC 6455 8.1"},
		"no text, early":  {"\xff" + strings.Repeat("x", 3*InflateStepBytes), 0, "closed 1007 RFC 6455 8.1"},
		"half a letter":   {strings.Repeat("x", 3*InflateStepBytes) + "\xc3", 3, "closed 1007 RFC 6455 8.1"},
		"just not larger": {strings.Repeat("x", 3*InflateStepBytes+10), 3, `text "` + strings.Repeat("x", 3*InflateStepBytes+10) + `"`},
	} {
		c := config(frame.Server)
		c.MessageBytesMax = 3*InflateStepBytes + 10
		payload, _ := deflate.NewPool(0, 0).Alone([]byte(row.text))
		wire := frame.Append(nil, frame.Header{Fin: true, RSV1: true, Opcode: frame.Text, Length: uint64(len(payload)), Masked: true})
		e := newEndpoint(c, compressed(deflate.Params{}, true))
		e.Receive(append(wire, payload...), 0)
		steps := 0
		ev := e.Next(0)
		for ; ev.Kind == Inflating; ev = e.Next(0) {
			steps++
		}
		if describe(ev) != row.want || steps != row.steps {
			t.Errorf("%s: after %d steps: %.80s", name, steps, describe(ev))
		}
	}
}

// The end of the line, or of the connection, ends a message that is being inflated.
func TestEndWhileInflating(t *testing.T) {
	for _, hold := range []bool{false, true} {
		e := newEndpoint(config(frame.Server), compressed(deflate.Params{}, true))
		e.Receive(sent(t, 1, large, "never"), 0)
		if ev := e.Next(0); ev.Kind != Inflating {
			t.Fatal(describe(ev))
		}
		if hold {
			e.Hold()
		}
		e.ReceiveEOF()
		e.Hold()
		if got := events(e, 0); !slices.Equal(got, []string{`closed 1006 ""`}) {
			t.Errorf("%.80q", got)
		}
		if e.receiver != nil {
			t.Error("something is held after the end")
		}
	}
}
