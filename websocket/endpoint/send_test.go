package endpoint

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/websocket/deflate"
	"github.com/bellwire/bellwire/websocket/frame"
)

// step is one thing an owner does.
type step func(e *Endpoint) error

func send(opcode frame.Opcode, payload string) step {
	return func(e *Endpoint) error { return e.Send(opcode, []byte(payload)) }
}

func begin(opcode frame.Opcode) step {
	return func(e *Endpoint) error { return e.BeginParts(opcode) }
}

func part(payload string, final bool) step {
	return func(e *Endpoint) error { return e.SendPart([]byte(payload), final) }
}

func ping(payload string) step {
	return func(e *Endpoint) error { return e.SendPing([]byte(payload)) }
}

func bye(status frame.Status, reason string) step {
	return func(e *Endpoint) error { return e.SendClose(status, reason, time.Second) }
}

func TestSend(t *testing.T) {
	rows := []struct {
		rule  string
		side  frame.Side
		steps []step
		err   error // of the last step
		out   string
	}{
		{"5.6 text", frame.Server, []step{send(frame.Text, "Hello")}, nil, `81 05 "Hello"`},
		{"5.6 binary", frame.Server, []step{send(frame.Binary, "\xff")}, nil, "82 01 ff"},
		{"5.6 empty", frame.Server, []step{send(frame.Text, "")}, nil, "81 00"},
		{"5.1 a client masks", frame.Client, []step{send(frame.Text, "Hello")}, nil, "81 85 37fa213d 7f9f4d5158"},
		{"5.1 a client masks a ping", frame.Client, []step{ping("Hello")}, nil, "89 85 37fa213d 7f9f4d5158"},
		{"8.1 text must be UTF-8", frame.Server, []step{send(frame.Text, "\xff")}, ErrText, ""},
		{"5.6 only text and binary", frame.Server, []step{send(frame.Ping, "")}, ErrOpcode, ""},
		{"5.4 parts", frame.Server, []step{begin(frame.Text), part("He", false), part("l", false), part("lo", true)}, nil, `01 02 "He" 00 01 "l" 80 02 "lo"`},
		{"5.4 one part", frame.Server, []step{begin(frame.Binary), part("a", true)}, nil, `82 01 "a"`},
		{"5.4 ping between parts", frame.Server, []step{begin(frame.Text), part("a", false), ping(""), part("b", true)}, nil, `01 01 "a" 89 00 80 01 "b"`},
		{"5.4 no message between parts", frame.Server, []step{begin(frame.Text), part("a", false), send(frame.Text, "b")}, ErrMessageOpen, `01 01 "a"`},
		{"5.4 no second message in parts", frame.Server, []step{begin(frame.Text), begin(frame.Text)}, ErrMessageOpen, ""},
		{"5.4 part of nothing", frame.Server, []step{part("a", true)}, ErrNoMessage, ""},
		{"5.4 part after the last", frame.Server, []step{begin(frame.Text), part("a", true), part("b", true)}, ErrNoMessage, `81 01 "a"`},
		{"5.5 ping of 125 bytes", frame.Server, []step{ping(strings.Repeat("p", 125))}, nil, `89 7D "` + strings.Repeat("p", 125) + `"`},
		{"5.5 ping of 126 bytes", frame.Server, []step{ping(strings.Repeat("p", 126))}, ErrControl, ""},
		{"5.5.1 close", frame.Server, []step{bye(1000, "bye")}, nil, `88 05 03e8 "bye"`},
		{"5.5.1 close without code", frame.Server, []step{bye(frame.StatusNone, "")}, nil, "88 00"},
		{"5.5.1 close inside a message", frame.Server, []step{begin(frame.Text), part("a", false), bye(1001, "")}, nil, `01 01 "a" 88 02 03e9`},
		{"7.4 close with a reserved code", frame.Server, []step{bye(1006, "")}, ErrStatus, ""},
		{"5.5.1 close with bad UTF-8", frame.Server, []step{bye(1000, "\xff")}, ErrText, ""},
		{"5.5.1 nothing after a close: message", frame.Server, []step{bye(1000, ""), send(frame.Text, "a")}, ErrNotOpen, "88 02 03e8"},
		{"5.5.1 nothing after a close: ping", frame.Server, []step{bye(1000, ""), ping("")}, ErrNotOpen, "88 02 03e8"},
		{"5.5.1 nothing after a close: part", frame.Server, []step{begin(frame.Text), bye(1000, ""), part("a", true)}, ErrNotOpen, "88 02 03e8"},
		{"5.5.1 nothing after a close: begin", frame.Server, []step{bye(1000, ""), begin(frame.Text)}, ErrNotOpen, "88 02 03e8"},
		{"5.5.1 no second close", frame.Server, []step{bye(1000, ""), bye(1000, "")}, ErrNotOpen, "88 02 03e8"},
	}
	for _, row := range rows {
		t.Run(row.rule, func(t *testing.T) {
			c := config(row.side)
			c.MaskKey = func() uint32 { return 0x3d21fa37 }
			e := newEndpoint(c, nil)
			var err error
			for _, do := range row.steps {
				err = do(e)
			}
			if err != row.err {
				t.Errorf("got error %v, want %v", err, row.err)
			}
			if out := e.Output(); !bytes.Equal(out, unhex(t, row.out)) {
				t.Errorf("got % X, want %s", out, row.out)
			}
		})
	}
}

func TestSendHead(t *testing.T) {
	e := newEndpoint(config(frame.Server), nil)
	if !e.CanSendHead(70000) {
		t.Fatal("a server without compression cannot send a head")
	}
	if err := e.SendHead(frame.Binary, make([]byte, 70000)); err != nil {
		t.Fatal(err)
	}
	if out := e.Output(); !bytes.Equal(out, unhex(t, "82 7F 0000000000011170")) {
		t.Errorf("got % X", out)
	}
	if err := e.SendHead(frame.Text, []byte{0xff}); err != ErrText {
		t.Errorf("bad text: %v", err)
	}
	if newEndpoint(config(frame.Client), nil).CanSendHead(1) {
		t.Error("a client would send without mask")
	}
	e = newEndpoint(config(frame.Server), compressed(deflate.Params{}, true))
	if e.CanSendHead(256) || !e.CanSendHead(255) {
		t.Error("the threshold of compression does not hold")
	}
}

// The owner lends the buffer that output gathers in, and gets it back.
func TestLend(t *testing.T) {
	e := newEndpoint(config(frame.Server), nil)
	buf := make([]byte, 0, 64)
	e.Lend(buf)
	e.Send(frame.Text, []byte("a"))
	e.SendPing(nil)
	e.Send(frame.Text, []byte("b"))
	if e.Pending() != 8 {
		t.Errorf("%d bytes are pending", e.Pending())
	}
	out := e.Output()
	if !bytes.Equal(out, unhex(t, `81 01 "a" 89 00 81 01 "b"`)) || &out[0] != &buf[:1][0] {
		t.Errorf("got % X, in the buffer: %v", out, &out[0] == &buf[:1][0])
	}
	if e.Output() != nil || e.Pending() != 0 {
		t.Error("output is left")
	}
	e.Send(frame.Text, []byte("c"))
	e.Lend(append(buf[:0], "kept:"...))
	if out := e.Output(); string(out) != "kept:\x81\x01c" {
		t.Errorf("output before the loan is lost: %q", out)
	}
}

func TestSendCompressed(t *testing.T) {
	server := newEndpoint(config(frame.Server), compressed(deflate.Params{}, true))
	client := newEndpoint(config(frame.Client), compressed(deflate.Params{}, false))
	deliver := func(want string, rsv1 bool) {
		t.Helper()
		out := server.Output()
		if got := out[0]&0x40 != 0; got != rsv1 {
			t.Errorf("RSV1 %v, want %v", got, rsv1)
		}
		if got := feed(client, out, 0); len(got) != 1 || got[0] != want {
			t.Errorf("got %.80q", got)
		}
	}
	short, long := strings.Repeat("a", 255), strings.Repeat("a", 256)
	server.Send(frame.Text, []byte(short))
	deliver(`text "`+short+`"`, false)
	for range 3 {
		server.Send(frame.Text, []byte(long))
		deliver(`text "`+long+`"`, true)
	}
	noise := make([]byte, 300)
	for i := range noise {
		noise[i] = byte(i * i >> 3)
	}
	server.Send(frame.Text, []byte(long))
	deliver(`text "`+long+`"`, true)
	for _, parts := range [][]string{{"a"}, {""}, {"a", "b", "c"}, {long, long, short}, {"", "x", ""}} {
		server.BeginParts(frame.Text)
		for i, p := range parts {
			if err := server.SendPart([]byte(p), i == len(parts)-1); err != nil {
				t.Fatal(err)
			}
		}
		deliver(`text "`+strings.Join(parts, "")+`"`, true)
	}
}

// A prepared message is the same bytes for all that agreed on the same.
func TestPrepared(t *testing.T) {
	text := strings.Repeat("bellwire ", 100)
	p, err := Prepare(frame.Text, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	plain := newEndpoint(config(frame.Server), nil)
	plain.SendPrepared(p)
	if out := plain.Output(); !bytes.Equal(out, p.Frame()) || !strings.HasSuffix(string(out), text) {
		t.Error("the plain frame differs")
	}
	pool := deflate.NewPool(0, 0)
	for _, params := range []deflate.Params{{}, {ServerNoContextTakeover: true}, {ServerMaxWindowBits: 8}} {
		server := newEndpoint(config(frame.Server), deflate.New(params, true, pool))
		client := newEndpoint(config(frame.Client), deflate.New(params, false, pool))
		for range 2 {
			server.Send(frame.Text, []byte(text))
			server.SendPrepared(p)
		}
		if got := feed(client, server.Output(), 0); len(got) != 4 || got[1] != got[0] || got[3] != got[0] {
			t.Errorf("%v: got %.80q", params, got)
		}
		if shares := bytes.Equal(server.Encoding(p), p.Compressed(pool)); shares != (params.ServerMaxWindowBits == 0) {
			t.Errorf("%v: shares the compressed frame: %v", params, shares)
		}
	}
	client := newEndpoint(config(frame.Client), nil)
	client.SendPrepared(p)
	if got := feed(plain, client.Output(), 0); len(got) != 1 || got[0] != `text "`+text+`"` {
		t.Errorf("from a client: got %.80q", got)
	}
	noise, _ := Prepare(frame.Binary, []byte{1, 2, 3})
	if noise.Compressed(pool) != nil {
		t.Error("noise is compressed")
	}
	for _, bad := range []struct {
		opcode  frame.Opcode
		payload string
		err     error
	}{{frame.Text, "\xff", ErrText}, {frame.Close, "", ErrOpcode}} {
		if _, err := Prepare(bad.opcode, []byte(bad.payload)); err != bad.err {
			t.Errorf("got %v, want %v", err, bad.err)
		}
	}
	plain.BeginParts(frame.Text)
	if err := plain.SendPrepared(p); err != ErrMessageOpen {
		t.Errorf("inside a message: %v", err)
	}
	plain.SendClose(1000, "", 0)
	if err := plain.SendPrepared(p); !errors.Is(err, ErrNotOpen) {
		t.Errorf("after the close: %v", err)
	}
}
