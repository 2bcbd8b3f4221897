package sse_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// The oracle: what an EventSource makes of a stream, written from the algorithm of WHATWG HTML 9.2.6 and knowing nothing of
// the package. It leaves bytes that are no UTF-8 as they are.

type dispatched struct {
	kind, data, lastID string
}

type source struct {
	events []dispatched
	lastID string // of the last dispatch: what is sent as Last-Event-ID
	retry  string

	idBuffer, kindBuffer, dataBuffer string
}

// read interprets a whole stream. What has no blank line after it is discarded.
func read(stream []byte) *source {
	s := &source{}
	text := strings.TrimPrefix(string(stream), "\ufeff")
	for {
		end := strings.IndexAny(text, "\r\n")
		if end < 0 {
			return s
		}
		line := text[:end]
		if strings.HasPrefix(text[end:], "\r\n") {
			end++
		}
		text = text[end+1:]
		s.line(line)
	}
}

func (s *source) line(line string) {
	colon := strings.IndexByte(line, ':')
	switch {
	case line == "":
		s.dispatch()
	case colon == 0: // a comment
	case colon > 0:
		s.field(line[:colon], strings.TrimPrefix(line[colon+1:], " "))
	default:
		s.field(line, "")
	}
}

func (s *source) field(name, value string) {
	switch name {
	case "event":
		s.kindBuffer = value
	case "data":
		s.dataBuffer += value + "\n"
	case "id":
		if !strings.Contains(value, "\x00") {
			s.idBuffer = value
		}
	case "retry":
		if value != "" && strings.Trim(value, "0123456789") == "" {
			s.retry = value
		}
	}
}

func (s *source) dispatch() {
	s.lastID = s.idBuffer
	if s.dataBuffer != "" {
		s.events = append(s.events, dispatched{s.kindBuffer, strings.TrimSuffix(s.dataBuffer, "\n"), s.lastID})
	}
	s.kindBuffer, s.dataBuffer = "", ""
}

// normal is text as a browser's application gets it: every line end is a line feed.
func normal(text []byte) string {
	return strings.ReplaceAll(strings.ReplaceAll(string(text), "\r\n", "\n"), "\r", "\n")
}

// one is the only event of a stream. Another event before it and one after it must come through unharmed.
func one(t *testing.T, event []byte) (got dispatched, retry string) {
	t.Helper()
	s := read(slices.Concat([]byte("id: before|e|1\ndata: before\n\n"), event, []byte("data: after\n\n")))
	if len(s.events) != 3 || s.events[0].data != "before" || s.events[2].data != "after" || !bytes.HasSuffix(event, []byte("\n\n")) {
		t.Fatalf("SE-01: %q is read as %q", event, s.events)
	}
	if s.events[1].kind != "" {
		t.Fatalf("SE-01: %q has the type %q", event, s.events[1].kind)
	}
	return s.events[1], s.retry
}

func TestTheOracleReadsTheExamplesOfTheStandard(t *testing.T) {
	for _, row := range []struct {
		rule, stream string
		want         []dispatched
		lastID       string
	}{
		{"two lines of data", "data: YHOO\ndata: +2\ndata: 10\n\n", []dispatched{{data: "YHOO\n+2\n10"}}, ""},
		{
			"a comment, an id, an id that is taken back, a second space",
			": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
			[]dispatched{{data: "first event", lastID: "1"}, {data: "second event"}, {data: " third event"}}, "",
		},
		{"data that is empty, and an event that does not end", "data\n\ndata\ndata\n\ndata:", []dispatched{{}, {data: "\n"}}, ""},
		{"a space after the colon", "data:test\n\ndata: test\n\n", []dispatched{{data: "test"}, {data: "test"}}, ""},
		{"every line end", "data:1\r\rdata:2\r\n\r\ndata:3\n\n", []dispatched{{data: "1"}, {data: "2"}, {data: "3"}}, ""},
		{"a byte order mark", "\ufeffdata:1\n\n", []dispatched{{data: "1"}}, ""},
		{"an id without data, and one with NUL", "id: 7\n\nid: 8\x00\ndata\n\n", []dispatched{{lastID: "7"}}, "7"},
		{"a type", "event: add\ndata: 1\n\n", []dispatched{{kind: "add", data: "1"}}, ""},
	} {
		t.Run(row.rule, func(t *testing.T) {
			if got := read([]byte(row.stream)); !slices.Equal(got.events, row.want) || got.lastID != row.lastID {
				t.Errorf("got %q and the id %q, want %q and %q", got.events, got.lastID, row.want, row.lastID)
			}
		})
	}
}
