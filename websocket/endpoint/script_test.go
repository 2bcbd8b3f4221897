package endpoint

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/websocket/deflate"
	"github.com/bellwire/bellwire/websocket/frame"
)

// unhex reads bytes written in hexadecimal with spaces; text in quotes stands for itself.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	var out []byte
	for i, part := range strings.Split(s, `"`) {
		if i%2 == 1 {
			out = append(out, part...)
			continue
		}
		b, err := hex.DecodeString(strings.Join(strings.Fields(part), ""))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b...)
	}
	return out
}

// maskZero makes a client's frames literal; masked by 0 the payload is as it is.
func maskZero() uint32 { return 0 }

func config(side frame.Side) *Config {
	c := Config{Side: side, MaskKey: maskZero}.Defaults()
	return &c
}

func newEndpoint(config *Config, agreed *deflate.Conn) *Endpoint {
	e := new(Endpoint)
	e.Init(config, agreed, 0)
	return e
}

// describe writes an event as a line.
func describe(ev Event) string {
	switch ev.Kind {
	case Message:
		return fmt.Sprintf("%s %q", opcodeName(ev.Opcode), ev.Payload)
	case Part:
		return fmt.Sprintf("part %s %q first=%v final=%v", opcodeName(ev.Opcode), ev.Payload, ev.First, ev.Final)
	case Ping:
		return fmt.Sprintf("ping %q", ev.Payload)
	case Pong:
		return fmt.Sprintf("pong %q", ev.Payload)
	case Closed:
		if ev.Violation != nil {
			return fmt.Sprintf("closed %d %s", ev.Status, ev.Violation.Clause)
		}
		return fmt.Sprintf("closed %d %q", ev.Status, ev.Payload)
	}
	return "none"
}

func opcodeName(o frame.Opcode) string {
	return map[frame.Opcode]string{frame.Text: "text", frame.Binary: "binary", frame.Continuation: "?"}[o]
}

// events takes all events there are, but those that only say that more are to come.
func events(e *Endpoint, now time.Duration) (lines []string) {
	for {
		ev := e.Next(now)
		if ev.Kind == None {
			return lines
		}
		if ev.Kind == Inflating {
			continue
		}
		lines = append(lines, describe(ev))
	}
}

// feed gives input in pieces of a size, 0 for one piece, and returns what happened.
func feed(e *Endpoint, input []byte, size int) (lines []string) {
	input = append([]byte(nil), input...) // it is unmasked in place
	if size == 0 {
		size = max(len(input), 1)
	}
	for len(input) > 0 {
		n := min(size, len(input))
		e.Receive(input[:n], 0)
		lines = append(lines, events(e, 0)...)
		input = input[n:]
	}
	return lines
}

// row is a conversation seen from one side: what comes, what it says to that, and
// what goes out.
type row struct {
	rule   string
	in     string
	events []string
	out    string
}

// run holds rows against an endpoint, in one piece, byte by byte and in threes.
func run(t *testing.T, rows []row, make func() *Endpoint) {
	for _, r := range rows {
		t.Run(r.rule, func(t *testing.T) {
			for _, size := range []int{0, 1, 3} {
				e := make()
				got := feed(e, unhex(t, r.in), size)
				if strings.Join(got, "\n") != strings.Join(r.events, "\n") {
					t.Errorf("pieces of %d: events\n%s\nwant\n%s", size, strings.Join(got, "\n"), strings.Join(r.events, "\n"))
				}
				if out := e.Output(); string(out) != string(unhex(t, r.out)) {
					t.Errorf("pieces of %d: output % X, want %s", size, out, r.out)
				}
			}
		})
	}
}

// closing is the close frame of a server that gives up for a rule.
func refusal(v *frame.Violation) string {
	payload := frame.AppendClose(nil, v.Status, v.Rule)
	return hex.EncodeToString(append([]byte{0x88, byte(len(payload))}, payload...))
}
