package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/bellwire/bellwire/realtime"
)

func TestPubTakesDataAsWhatItIs(t *testing.T) {
	rows := []struct {
		rule string
		take func([]byte) (realtime.Payload, error)
		data string
		want string // with j or b before it; "" for an error
	}{
		{"JSON is JSON, made compact", guessPayload, `{"a":  1}`, `j{"a":1}`},
		{"a number is JSON", guessPayload, `12`, `j12`},
		{"anything else is text", guessPayload, `12 apples & "more"`, `j"12 apples & \"more\""`},
		{"an empty line is text", guessPayload, ``, `j""`},
		{"what is neither is refused", guessPayload, "\xff", ""},
		{"--json wants JSON", jsonPayload, `a`, ""},
		{"--json takes no broken text", jsonPayload, "\"\xff\"", ""},
		{"--text makes text of JSON", textPayload, `{"a":1}`, `j"{\"a\":1}"`},
		{"--binary takes anything", binaryPayload, "\xff\x00", "b\xff\x00"},
	}
	for _, row := range rows {
		t.Run(row.rule, func(t *testing.T) {
			payload, err := row.take([]byte(row.data))
			got := ""
			if err == nil {
				got = string(" jb"[payload.Encoding]) + string(payload.Bytes)
			}
			if got != row.want {
				t.Errorf("got %q, %v; want %q", got, err, row.want)
			}
		})
	}
}

func TestPubReadsLines(t *testing.T) {
	long := strings.Repeat("x", pubLineBytesMax)
	rows := []struct {
		rule  string
		input string
		want  []string
	}{
		{"nothing", "", nil},
		{"the last line end may be missing", "a\nb", []string{"1 a", "2 b"}},
		{"an empty line is a line", "a\n\nb\n", []string{"1 a", "2 ", "3 b"}},
		{"CR LF ends a line too", "a\r\nb\r\n", []string{"1 a", "2 b"}},
		{"a line of the limit", long[1:] + "\nb\n", []string{"1 " + long[1:], "2 b"}},
		{"a longer one is refused, and the next one read", long + "x\nb\n", []string{"1 error", "2 b"}},
		{"a longer one at the end", "a\n" + long + "x", []string{"1 a", "2 error"}},
	}
	for _, row := range rows {
		t.Run(row.rule, func(t *testing.T) {
			for _, in := range []io.Reader{strings.NewReader(row.input), iotest.HalfReader(strings.NewReader(row.input))} {
				if got := allLines(in); !slices.Equal(got, row.want) {
					t.Errorf("got %d lines %.100q, want %.100q", len(got), got, row.want)
				}
			}
		})
	}
}

func TestPubTellsWhenItsInputFails(t *testing.T) {
	in := io.MultiReader(strings.NewReader("a\n"), iotest.ErrReader(errors.New("unplugged")))
	lines := make(chan readLine, 9)
	readLines(context.Background(), in, lines)
	if first := <-lines; string(first.text) != "a" {
		t.Errorf("first %+v", first)
	}
	if second := <-lines; second.number != 0 || !strings.Contains(second.err.Error(), "unplugged") {
		t.Errorf("second %+v", second)
	}
}

func allLines(in io.Reader) (got []string) {
	lines := make(chan readLine, 9)
	readLines(context.Background(), in, lines)
	for line := range lines {
		if line.err != nil {
			got = append(got, fmt.Sprint(line.number, " error"))
			continue
		}
		got = append(got, fmt.Sprintf("%d %s", line.number, line.text))
	}
	return got
}

func TestPubAndSubRefuseArgumentsThatCannotWork(t *testing.T) {
	rows := []struct {
		rule      string
		arguments []string
		want      string
	}{
		{"NAM-1: a name that is none", []string{"pub", "chat lobby", "x"}, "bad_channel"},
		{"NAM-4: nobody publishes to a pattern", []string{"pub", "chat:*", "x"}, "bad_channel"},
		{"NAM-7: an id that is none", []string{"pub", "chat:a", "x", "--id", "a b"}, "id has a character"},
		{"--id without data", []string{"pub", "chat:a", "--id", "x"}, "--id is for one publication"},
		{"two kinds of data", []string{"pub", "chat:a", "x", "--json", "--text"}, "none of the others can be"},
		{"a rate of none", []string{"pub", "chat:a", "--rate", "0"}, "--rate"},
		{"data that is not what it must be", []string{"pub", "chat:a", "{", "--json", "--url", "ws://127.0.0.1:1/ws"}, "the data: it is not JSON"},
		{"an address that is none", []string{"pub", "chat:a", "x", "--url", "127.0.0.1"}, "the address"},
		{"NAM-4: a star in the middle", []string{"sub", "ch*t"}, "bad_channel"},
		{"no channel", []string{"sub"}, "requires at least 1 arg"},
		{"a count of none", []string{"sub", "chat:a", "--count", "0"}, "--count"},
		{"POS-1: a position without epoch", []string{"sub", "chat:a", "--since", "41"}, "epoch:offset"},
		{"a position for two channels", []string{"sub", "chat:a", "chat:b", "--since", "e:41"}, "--since is for one channel"},
		{"SUB-10: a position for a pattern", []string{"sub", "chat:*", "--since", "e:41"}, "--since is for one channel"},
	}
	for _, row := range rows {
		t.Run(row.rule, func(t *testing.T) {
			code, out, errOut := invoke(t, row.arguments...)
			if code != 1 || out != "" || !strings.Contains(errOut, row.want) {
				t.Errorf("exit %d, %q, %q; want %q", code, out, errOut, row.want)
			}
		})
	}
}

func TestATokenInTheEnvironmentIsNotInTheHelp(t *testing.T) {
	t.Setenv(environmentLineToken, "a-secret")
	t.Setenv(environmentDemoKey, "a-secret")
	for _, name := range []string{"pub", "sub", "demo"} {
		if _, out, errOut := invoke(t, name, "--help"); strings.Contains(out+errOut, "a-secret") {
			t.Errorf("%s --help shows it", name)
		}
	}
}
