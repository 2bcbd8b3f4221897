package sse_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/protocol/native"
	"github.com/bellwire/bellwire/protocol/sse"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/hub"
	"github.com/bellwire/bellwire/realtime/session"
)

// half stands for chance.
func half(window time.Duration) time.Duration { return window / 2 }

var overJSON = sse.New(native.JSON, half)

// plain is a protocol whose messages are all the same, and may have what no JSON has.
type plain struct {
	session.Protocol
	text []byte
}

func (p plain) EncodePublication(*realtime.Publication) []byte { return p.text }
func (p plain) EncodePresence(*realtime.PresenceChange) []byte { return p.text }
func (p plain) Encode(uint32, session.Message) []byte          { return p.text }

func over(text string) *sse.Protocol { return sse.New(plain{native.JSON, []byte(text)}, half) }

func TestTheProtocolIsTheInnerOneInEvents(t *testing.T) {
	if got := overJSON.Name(); got != "bellwire.v1.sse" {
		t.Errorf("the name is %s", got)
	}
	if got := overJSON.Framing(); got != hub.FramingNone {
		t.Errorf("the framing is %d", got)
	}
}

func TestEveryMessageIsOneEvent(t *testing.T) { // SRV-1, SRV-5, SRV-6, SRV-7, SRV-8
	kf3 := realtime.Position{Epoch: "kf3", Offset: 41}
	for _, row := range []struct {
		id      uint32
		message session.Message
		want    string
	}{
		{
			7, &session.Connected{Connection: "c", Ping: time.Microsecond, Window: time.Second, Time: time.UnixMilli(5)},
			"retry: 500\n" + `data: {"id":7,"connect":{"connection":"c","ping_ms":1,"reconnect":{"window_ms":1000},"time_ms":5}}`,
		},
		{7, &session.Done{Command: session.DoneSubscribe}, `data: {"id":7,"subscribe":{}}`},
		{7, &session.Done{Command: session.DoneUnsubscribe}, `data: {"id":7,"unsubscribe":{}}`},
		{7, &session.Done{Command: session.DoneEnter}, `data: {"id":7,"enter":{}}`},
		{7, &session.Done{Command: session.DoneLeave}, `data: {"id":7,"leave":{}}`},
		{7, &session.Published{}, `data: {"id":7,"publish":{}}`},
		{7, &session.HistoryPage{}, `data: {"id":7,"history":{}}`},
		{7, &session.StatePage{}, `data: {"id":7,"state":{}}`},
		{7, &session.Updated{}, `data: {"id":7,"update":{}}`},
		{7, &session.PresencePage{}, `data: {"id":7,"presence":{}}`},
		{7, &session.Called{}, `data: {"id":7,"call":{}}`},
		{7, &session.Refreshed{}, `data: {"id":7,"refresh":{}}`},
		{7, &session.Pong{Time: time.UnixMilli(-1)}, `data: {"id":7,"ping":{}}`},
		{
			7, &session.Failed{Command: "publish", Err: realtime.NewError(103, "no")},
			`data: {"id":7,"error":{"code":103,"name":"permission_denied","message":"no"}}`,
		},
		{0, &session.Subscribed{Channel: "a"}, `data: {"subscribed":{"channel":"a"}}`},
		{
			0, &session.Subscribed{Channel: "chat:lobby", Position: kf3, Top: 44, Resumed: true, Recovered: true},
			"id: chat:lobby|kf3|41\n" + `data: {"subscribed":{"channel":"chat:lobby","epoch":"kf3","offset":41,"top":44,"recovered":true}}`,
		},
		{
			0, &session.Subscribed{Channel: "a", Position: realtime.Position{Epoch: "kf3"}},
			"id: a|kf3|0\n" + `data: {"subscribed":{"channel":"a","epoch":"kf3"}}`,
		},
		{
			0, &session.Subscribed{Channel: "a", Position: kf3, Err: realtime.NewError(103, "no")},
			`data: {"subscribed":{"channel":"a","error":{"code":103,"name":"permission_denied","message":"no"}}}`,
		},
		{0, &session.Unsubscribed{Channel: "a", Code: 300}, `data: {"unsubscribed":{"channel":"a","code":300}}`},
		{0, &session.Notice{Window: 4 * time.Second}, "retry: 2000\n" + `data: {"notice":{"reconnect":{"window_ms":4000}}}`},
		{0, &session.Disconnect{Code: 4410}, "retry: 86400000\n" + `data: {"disconnect":{"code":4410}}`},
		{
			0, &session.Disconnect{Code: 4500, Window: 4 * time.Second},
			"retry: 2000\n" + `data: {"disconnect":{"code":4500,"reconnect":{"window_ms":4000}}}`,
		},
	} {
		if got := string(overJSON.Encode(row.id, row.message)); got != row.want+"\n\n" {
			t.Errorf("%T is\n%s, want\n%s", row.message, got, row.want)
		}
	}
}

func TestEveryPublicationIsOneEvent(t *testing.T) { // SRV-2
	held := &realtime.Publication{Channel: "chat:lobby", Epoch: "kf3", Offset: 42, Prev: 41, Payload: realtime.JSON([]byte(`{"a":1}`))}
	for _, row := range []struct {
		rule        string
		publication *realtime.Publication
		want        string
	}{
		{
			"POS-1 its position", held,
			"id: chat:lobby|kf3|42\n" + `data: {"publication":{"channel":"chat:lobby","offset":42,"data":{"a":1}}}`,
		},
		{
			"SRV-2 a mark advances it too", held.Mark(),
			"id: chat:lobby|kf3|42\n" + `data: {"publication":{"channel":"chat:lobby","offset":42,"skipped":true}}`,
		},
		{
			"SUB-10 none by a pattern", held.WithoutPosition(),
			`data: {"publication":{"channel":"chat:lobby","data":{"a":1},"pattern":true}}`,
		},
		{
			"SUB-10 none by a pattern, whatever else it has", &realtime.Publication{Channel: "a", Epoch: "e", Offset: 1, Pattern: true},
			`data: {"publication":{"channel":"a","offset":1,"skipped":true,"pattern":true}}`,
		},
		{
			"POS-4 none without log", &realtime.Publication{Channel: "a", Payload: realtime.JSON([]byte(`"x\ny"`))},
			`data: {"publication":{"channel":"a","data":"x\ny"}}`,
		},
		{
			"POS-1 none without offset", &realtime.Publication{Channel: "a", Epoch: "e", Payload: realtime.JSON([]byte("1"))},
			`data: {"publication":{"channel":"a","data":1}}`,
		},
		{
			"MSG-7 the largest", (&realtime.Publication{Channel: "a", Epoch: "e", Offset: 1<<53 - 1, Prev: 1<<53 - 2}).Mark(),
			"id: a|e|9007199254740991\n" + `data: {"publication":{"channel":"a","offset":9007199254740991,"skipped":true}}`,
		},
	} {
		t.Run(row.rule, func(t *testing.T) {
			got := string(overJSON.EncodePublication(row.publication))
			if got != row.want+"\n\n" {
				t.Errorf("got\n%s, want\n%s", got, row.want)
			}
		})
	}
}

func TestEveryPresenceChangeIsOneEvent(t *testing.T) { // SRV-4
	const want = `data: {"presence":{"channel":"a","version":9,"count":3,"left":["bob"]}}` + "\n\n"
	got := overJSON.EncodePresence(&realtime.PresenceChange{Channel: "a", Version: 9, Count: 3, Left: []string{"bob"}})
	if string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestThePublicationIsLeftAsItIs(t *testing.T) {
	text := []byte("a\r\nb\n")
	sse.New(plain{native.JSON, text}, half).EncodePublication(&realtime.Publication{Channel: "a"})
	if !bytes.Equal(text, []byte("a\r\nb\n")) {
		t.Errorf("the inner message became %q", text)
	}
}

func TestTheRetryIsDrawnFromTheWindow(t *testing.T) { // LIV-3
	for _, row := range []struct {
		rule   string
		window time.Duration
		drawn  time.Duration
		want   string
	}{
		{"as drawn", time.Second, 700 * time.Millisecond, "700"},
		{"rounded up", time.Second, 700*time.Millisecond + 1, "701"},
		{"never at once", time.Second, 0, "1"},
		{"a nanosecond", 1, 1, "1"},
		{"the longest", 1<<63 - 1, 1<<63 - 1, "9223372036855"},
		{"no window", 0, time.Second, ""},
		{"less than none", -1, time.Second, ""},
	} {
		t.Run(row.rule, func(t *testing.T) {
			p := sse.New(native.JSON, func(window time.Duration) time.Duration {
				if window != row.window {
					t.Errorf("asked for %v, want %v", window, row.window)
				}
				return row.drawn
			})
			for _, m := range []session.Message{
				&session.Connected{Window: row.window}, &session.Notice{Window: row.window},
				&session.Disconnect{Code: realtime.CodeRestart, Window: row.window},
			} {
				if _, got := one(t, p.Encode(0, m)); got != row.want {
					t.Errorf("%T says %q, want %q", m, got, row.want)
				}
			}
		})
	}
}

func TestWhoIsToldNeverStaysAwayForADay(t *testing.T) { // EVT-3
	if _, got := one(t, overJSON.Encode(0, &session.Disconnect{Code: realtime.CodeDisconnected})); got != "86400000" {
		t.Errorf("says %q", got)
	}
}

func TestTheBodyOfAPostIsText(t *testing.T) { // CON-2, CON-6
	for _, binary := range []bool{false, true} {
		r, rest, err := overJSON.Next([]byte("{\"id\":1,\"ping\":{}}\n{\"ping\":{}}"), binary)
		if err != nil || r.ID != 1 || r.Name != "ping" || string(rest) != `{"ping":{}}` {
			t.Errorf("got %+v, the rest %q, %v", r, rest, err)
		}
		if _, _, err := overJSON.Next([]byte("data: x"), binary); realtime.CodeOf(err) != realtime.CodeBadProtocol {
			t.Errorf("what is no JSON gives %v", err)
		}
	}
}

func TestSE01NobodyBreaksOutOfAnEvent(t *testing.T) {
	for _, row := range []struct{ rule, text, want string }{
		{"LF", "a\nb", "data: a\ndata: b\n\n"},
		{"CR", "a\rb", "data: a\ndata: b\n\n"},
		{"CRLF", "a\r\nb", "data: a\ndata: b\n\n"},
		{"LF CR are two", "a\n\rb", "data: a\ndata: \ndata: b\n\n"},
		{"CR CRLF are two", "a\r\r\nb", "data: a\ndata: \ndata: b\n\n"},
		{"a blank line", "a\n\nb", "data: a\ndata: \ndata: b\n\n"},
		{"an event of its own", "a\n\ndata: b\n\n", "data: a\ndata: \ndata: data: b\n\n"},
		{"an id", "a\nid: x|e|1", "data: a\ndata: id: x|e|1\n\n"},
		{"a type", "a\revent: x", "data: a\ndata: event: x\n\n"},
		{"a retry", "a\r\nretry: 1", "data: a\ndata: retry: 1\n\n"},
		{"a comment", "a\n: b", "data: a\ndata: : b\n\n"},
		{"NUL", "a\x00b", "data: a\x00b\n\n"},
		{"NEL, U+2028 and U+2029 end no line", "a\u0085\u2028\u2029b", "data: a\u0085\u2028\u2029b\n\n"},
		{"VT and FF end no line", "a\v\fb", "data: a\v\fb\n\n"},
		{"not UTF-8", "a\xff\n\xfe", "data: a\xff\ndata: \xfe\n\n"},
		{"a byte order mark", "\ufeffa", "data: \ufeffa\n\n"},
		{"spaces stay", "  a\n b ", "data:   a\ndata:  b \n\n"},
		{"line feeds at the end go", "a\n\n\n", "data: a\n\n"},
		{"other line ends stay", "a\r\n", "data: a\ndata: \n\n"},
		{"line ends at the beginning stay", "\n\ra", "data: \ndata: \ndata: a\n\n"},
		{"nothing", "", "data: \n\n"},
		{"a line feed alone", "\n", "data: \n\n"},
	} {
		t.Run(row.rule, func(t *testing.T) {
			for head, event := range events(over(row.text)) {
				if string(event) != head+row.want {
					t.Errorf("got %q, want %q", event, head+row.want)
				}
				if got, _ := one(t, event); got.data != normal([]byte(strings.TrimRight(row.text, "\n"))) {
					t.Errorf("%q is read as %q", row.text, got.data)
				}
			}
		})
	}
}

// events are one of each way into the translator, by what stands before their data.
func events(p *sse.Protocol) map[string][]byte {
	return map[string][]byte{
		"":              p.EncodePresence(&realtime.PresenceChange{Channel: "a"}),
		"id: a|e|7\n":   p.EncodePublication(&realtime.Publication{Channel: "a", Epoch: "e", Offset: 7}),
		"id: a|e|0\n":   p.Encode(0, &session.Subscribed{Channel: "a", Position: realtime.Position{Epoch: "e"}}),
		"retry: 5000\n": p.Encode(0, &session.Notice{Window: 10 * time.Second}),
	}
}

// Neither comes from a client; a backend is not trusted with the form of the stream either.
func TestSE01WhatIsNoPositionIsNoID(t *testing.T) {
	for _, row := range []struct {
		rule, channel, epoch string
		offset               uint64
	}{
		{"a line end in the epoch", "a", "e\n\ndata: x", 1},
		{"CR in the epoch", "a", "e\r", 1},
		{"NUL in the epoch", "a", "e\x00", 1},
		{"U+2028 in the epoch", "a", "e\u2028", 1},
		{"a bar in the epoch", "a", "e|1", 1},
		{"a space in the epoch", "a", "e b|e|1", 1},
		{"no epoch", "a", "", 1},
		{"POS-1 an epoch of 33 bytes", "a", strings.Repeat("e", 33), 1},
		{"a line end in the channel", "a\ndata: x", "e", 1},
		{"a bar in the channel", "a|e", "e", 1},
		{"NAM-1 no channel", "", "e", 1},
		{"MSG-7 an offset too large", "a", "e", realtime.OffsetMax + 1},
	} {
		t.Run(row.rule, func(t *testing.T) {
			p := over("x")
			for _, event := range [][]byte{
				p.EncodePublication(&realtime.Publication{Channel: row.channel, Epoch: row.epoch, Offset: row.offset}),
				p.Encode(0, &session.Subscribed{Channel: row.channel, Position: realtime.Position{Epoch: row.epoch, Offset: row.offset}}),
			} {
				if string(event) != "data: x\n\n" {
					t.Errorf("got %q", event)
				}
			}
		})
	}
}

// A publication is translated once for all lines, and that costs one allocation beside the inner protocol's.
func TestAnEventIsOneAllocation(t *testing.T) {
	publication := &realtime.Publication{Channel: "chat:lobby", Epoch: "kf3", Offset: 41}
	for rule, text := range map[string]string{"one line": strings.Repeat("x", 1000) + "\n", "many": strings.Repeat("x\r\n", 300)} {
		p := over(text)
		if n := testing.AllocsPerRun(100, func() { p.EncodePublication(publication) }); n != 1 {
			t.Errorf("%s: %v allocations", rule, n)
		}
	}
}

func TestDataIsWhatTheReaderOfAnEventGets(t *testing.T) {
	for message, want := range map[string]string{"x": "x", "a\nb": "a\nb", "a\r\rb": "a\n\nb", "": ""} {
		event := over(message).Encode(0, &session.Connected{Window: 5})
		if got := sse.Data(event); string(got) != want {
			t.Errorf("%q: %q, want %q", event, got, want)
		}
	}
}
