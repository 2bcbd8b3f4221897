package endpoint

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/bellwire/bellwire/websocket/frame"
)

func deadline(t *testing.T, e *Endpoint, want time.Duration) {
	t.Helper()
	if got, ok := e.Deadline(); got != want || ok != (want != 0) {
		t.Errorf("deadline %v %v, want %v", got, ok, want)
	}
}

// A silent peer is pinged, and given up; each instant from both sides.
func TestKeepAlive(t *testing.T) {
	c := config(frame.Server)
	c.PingInterval, c.PongTimeout = 25*time.Second, 8*time.Second
	e := newEndpoint(c, nil)
	deadline(t, e, 25*time.Second)
	e.Tick(25*time.Second - 1)
	if e.Pending() != 0 {
		t.Fatal("pinged too early")
	}
	e.Tick(25 * time.Second)
	if out := e.Output(); !bytes.Equal(out, unhex(t, "89 00")) {
		t.Fatalf("got % X, want a ping", out)
	}
	deadline(t, e, 33*time.Second)

	// FL-06: a pong just in time. It is not counted as unasked.
	e.Tick(33*time.Second - 1)
	e.Receive(unhex(t, "8A 80 00000000"), 33*time.Second-1)
	if got := events(e, 33*time.Second-1); len(got) != 1 || got[0] != `pong ""` || e.flood != 0 {
		t.Fatalf("got %q", got)
	}
	deadline(t, e, 58*time.Second-1)

	// Traffic puts the ping off, and is a sign of life in place of the pong.
	e.Receive(unhex(t, "81 80 00000000"), 40*time.Second)
	events(e, 40*time.Second)
	deadline(t, e, 65*time.Second)
	e.Tick(65 * time.Second)
	e.Receive(unhex(t, "81"), 66*time.Second)
	events(e, 66*time.Second)
	deadline(t, e, 91*time.Second)

	// FL-04: nothing more comes.
	e.Tick(91 * time.Second)
	deadline(t, e, 99*time.Second)
	e.Output()
	e.Tick(99 * time.Second)
	if got := events(e, 99*time.Second); len(got) != 1 || got[0] != "closed 1006 RFC 6455 5.5.2" {
		t.Fatalf("got %q", got)
	}
	if e.Pending() != 0 {
		t.Error("something is sent to a peer that is gone")
	}
	deadline(t, e, 0)
	e.Tick(200 * time.Second)
}

func TestKeepAliveOff(t *testing.T) {
	c := config(frame.Server)
	c.PingInterval = -1
	e := newEndpoint(c, nil)
	deadline(t, e, 0)
	e.Tick(time.Hour)
	if e.Pending() != 0 || e.Over() {
		t.Error("a ping was sent")
	}
	c.PingInterval, c.PongTimeout = time.Second, -1
	e = newEndpoint(c, nil)
	for at := time.Second; at < 10*time.Second; at += time.Second {
		deadline(t, e, at)
		e.Tick(at)
		if out := e.Output(); len(out) != 2 || e.Over() {
			t.Fatalf("at %v: % X", at, out)
		}
	}
}

func TestCloseTimeout(t *testing.T) {
	e := newEndpoint(config(frame.Server), nil)
	e.SendClose(1000, "", 7*time.Second)
	deadline(t, e, 12*time.Second)
	// Messages still come; they do not put the deadline off.
	e.Receive(unhex(t, `81 81 00000000 "a"`), 8*time.Second)
	if got := events(e, 0); len(got) != 1 || got[0] != `text "a"` {
		t.Errorf("got %q", got)
	}
	e.Tick(12*time.Second - 1)
	deadline(t, e, 12*time.Second)
	e.Tick(12 * time.Second)
	if got := events(e, 0); len(got) != 1 || got[0] != "closed 1006 RFC 6455 7.1.1" {
		t.Errorf("got %q", got)
	}
}

// A ping that awaits its pong is forgotten when the connection closes.
func TestCloseWhilePinging(t *testing.T) {
	e := newEndpoint(config(frame.Server), nil)
	e.Tick(25 * time.Second)
	e.SendClose(1000, "", 26*time.Second)
	e.Receive(unhex(t, "8A 80 00000000"), 27*time.Second)
	events(e, 27*time.Second)
	deadline(t, e, 31*time.Second)
}

// The handshake from our side: what the peer answers, and what it sends before.
func TestCloseHandshake(t *testing.T) {
	for _, r := range []struct{ rule, in, want string }{
		{"answered with the code", "88 82 00000000 03e8", `closed 1000 ""`},
		{"answered with another", "88 82 00000000 0fa0", `closed 4000 ""`},
		{"answered without", "88 80 00000000", `closed 1005 ""`},
		{"answered badly", "88 81 00000000 00", "closed 1002 RFC 6455 5.5.1"},
		{"broken meanwhile", "83 80", "closed 1002 RFC 6455 5.2"},
	} {
		t.Run(r.rule, func(t *testing.T) {
			e := newEndpoint(config(frame.Server), nil)
			e.SendClose(1000, "", 0)
			e.Output()
			if !e.Over() && e.Open() {
				t.Error("still open")
			}
			got := feed(e, unhex(t, "89 80 00000000"+r.in), 0)
			if len(got) != 2 || got[1] != r.want {
				t.Errorf("got %q", got)
			}
			// 5.5.1: nothing is sent after a close frame, no pong and no second one.
			if out := e.Output(); len(out) != 0 {
				t.Errorf("sent % X", out)
			}
		})
	}
}

// FR-19, FR-20: pings and unasked pongs have an allowance, refilled with time.
func TestControlFlood(t *testing.T) {
	for _, wire := range []string{"89 80 00000000", "8A 80 00000000"} {
		c := config(frame.Server)
		c.ControlBurst, c.ControlPerSec = 20, 10
		e := newEndpoint(c, nil)
		for n := range 20 {
			if got := feed(e, unhex(t, wire), 0); len(got) != 1 || strings.HasPrefix(got[0], "closed") {
				t.Fatalf("frame %d: got %q", n+1, got)
			}
		}
		e.Receive(unhex(t, wire), 100*time.Millisecond)
		if got := events(e, 100*time.Millisecond); len(got) != 1 || e.Over() {
			t.Fatalf("refilled by one: got %q", got)
		}
		e.Receive(unhex(t, wire), 200*time.Millisecond-1)
		if got := events(e, 200*time.Millisecond-1); len(got) != 1 || got[0] != "closed 1008 RFC 6455 10.4" {
			t.Fatalf("one too many: got %q", got)
		}
	}
}

// FR-19: while the owner takes no output, no more than a few pongs wait, and the
// newest ping is answered.
func TestPongsAreBounded(t *testing.T) {
	c := config(frame.Server)
	c.ControlBurst = 1000
	e := newEndpoint(c, nil)
	for n := range 500 {
		feed(e, append(unhex(t, "89 84 00000000"), fmt.Sprintf("%04d", n)...), 0)
	}
	out := e.Output()
	if len(out) != 17*6 || !strings.HasSuffix(string(out), "0499") {
		t.Errorf("%d bytes: %q", len(out), out)
	}
	feed(e, unhex(t, `89 81 00000000 "x"`), 0)
	if out := e.Output(); string(out) != "\x8a\x01x" {
		t.Errorf("afterwards: %q", out)
	}
	// The answer that waits goes out before a close frame.
	for range 18 {
		feed(e, unhex(t, "89 80 00000000"), 0)
	}
	e.SendClose(1000, "", 0)
	if out := e.Output(); len(out) != 17*2+4 || out[17*2] != 0x88 {
		t.Errorf("with a close: % X", out)
	}
}

// No value of a limit means "unlimited".
func TestDefaults(t *testing.T) {
	want := Config{
		MessageBytesMax: 1 << 20, FragmentsMax: 1 << 17, ControlBurst: 20, ControlPerSec: 10, CompressBytesMin: 256,
		PingInterval: 25 * time.Second, PongTimeout: 8 * time.Second, CloseTimeout: 5 * time.Second,
	}
	if got := (Config{}).Defaults(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	none := Config{MessageBytesMax: -1, FragmentsMax: -1, ControlBurst: -1, ControlPerSec: -1, CompressBytesMin: -1, CloseTimeout: -1}
	if got := none.Defaults(); !reflect.DeepEqual(got, want) {
		t.Errorf("below zero: got %+v", got)
	}
	off := Config{PingInterval: -1, PongTimeout: -1}
	if got := off.Defaults(); got.PingInterval != -1 || got.PongTimeout != -1 {
		t.Errorf("switched off: got %+v", got)
	}
}

// An endpoint at rest is small and holds nothing.
func TestAtRest(t *testing.T) {
	if size := unsafe.Sizeof(Endpoint{}); size > 136 {
		t.Errorf("%d bytes", size)
	}
	e := newEndpoint(config(frame.Server), nil)
	feed(e, unhex(t, `01 81 00000000 "a" 89 80 00000000 80 81 00000000 "b" 81 81 00000000 "c"`), 1)
	e.Output()
	if e.receiver != nil || e.out != nil || e.late != nil {
		t.Errorf("holds %+v", e)
	}
	e.Receive(unhex(t, "81"), 0)
	e.Next(0)
	if e.receiver == nil {
		t.Error("a header in part was forgotten")
	}
}

// One message in, one message out, in lent memory: nothing is allocated.
func TestEchoAllocatesNothing(t *testing.T) {
	e := newEndpoint(config(frame.Server), nil)
	input := unhex(t, `81 85 37fa213d 7f9f4d5158`)
	in, out := make([]byte, len(input)), make([]byte, 0, 64)
	got := testing.AllocsPerRun(100, func() {
		copy(in, input)
		e.Lend(out)
		e.Receive(in, 0)
		for ev := e.Next(0); ev.Kind != None; ev = e.Next(0) {
			e.Send(ev.Opcode, ev.Payload)
		}
		if string(e.Output()) != "\x81\x05Hello" {
			t.Fatal("no echo")
		}
	})
	if got != 0 && !poisoned {
		t.Errorf("%v allocations", got)
	}
}

func BenchmarkEcho(b *testing.B) {
	for _, size := range []int{16, 128, 4096} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			e := newEndpoint(config(frame.Server), nil)
			input := fragmented(size, 0)
			out := make([]byte, 0, size+16)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				e.Lend(out)
				e.Receive(input, 0)
				for ev := e.Next(0); ev.Kind != None; ev = e.Next(0) {
					e.Send(ev.Opcode, ev.Payload)
				}
				e.Output()
			}
		})
	}
}
