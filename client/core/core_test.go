package core_test

import (
	"errors"
	"io"
	"testing"

	"github.com/bellwire/bellwire/client/core"
	"github.com/bellwire/bellwire/protocol/native/wire"
	"github.com/bellwire/bellwire/realtime"
)

func half() float64 { return 0.5 }

// connected returns a core whose line 1 is connected at time 0, with these channels subscribed at offset 10 of epoch e.
func connected(channels ...string) *core.Core {
	c := core.New(core.Options{URLs: []string{"ws://a/ws"}, Client: "test/1", Random: half})
	for _, channel := range channels {
		c.Subscribe(0, channel, &core.SubscribeOptions{})
	}
	c.Connect(0)
	c.LineOpened(0, 1)
	c.Received(0, 1, &wire.ServerMessage{ID: 1, Body: &wire.Connected{Connection: "c1"}})
	for _, channel := range channels {
		c.Received(0, 1, &wire.ServerMessage{Body: &wire.Subscribed{Channel: channel, Epoch: "e", Offset: 10, Top: 10}})
	}
	c.Drain()
	return c
}

// wantAgain is COD-1 in words of its own.
func wantAgain(code int) bool {
	switch {
	case 4400 <= code && code <= 4499:
		return false
	case 4500 <= code && code <= 4599:
		return true
	}
	switch code {
	case 1000, 1002, 1003, 1007, 1008, 1009, 1010:
		return false
	}
	return true
}

func TestEveryCloseCodeActsOnItsRange(t *testing.T) {
	check := func(how string, code int, end func(*core.Core)) {
		c := connected()
		end(c)
		want := core.Closed
		if wantAgain(code) {
			want = core.Waiting
		}
		if c.State() != want {
			t.Errorf("COD-1: after %s %d the client is %s", how, code, c.State())
		}
		if _, planned := c.Deadline(); planned != (want == core.Waiting) {
			t.Errorf("CLI-1: after %s %d a deadline: %t", how, code, planned)
		}
	}
	for code := 1000; code <= 4999; code++ {
		check("a Close frame", code, func(c *core.Core) { c.LineClosed(10_000, 1, realtime.Code(code), "") })
		check("disconnect", code, func(c *core.Core) {
			c.Received(10_000, 1, &wire.ServerMessage{Body: &wire.Disconnect{Code: realtime.Code(code)}})
		})
	}
}

func TestACommandThatNeverWentOutCanBeForgotten(t *testing.T) {
	c := core.New(core.Options{URLs: []string{"ws://a/ws"}, Client: "test/1", Random: half, CommandsMax: 1})
	c.Request(0, 1, &wire.Publish{Channel: "chat:a", Payload: realtime.JSON([]byte("1"))}, true)
	if !c.Cancel(1) || c.Cancel(1) || c.Cancel(2) {
		t.Error("Cancel says something else than what it did")
	}
	c.Request(0, 2, &wire.Publish{Channel: "chat:a", Payload: realtime.JSON([]byte("2"))}, true)
	c.Connect(0)
	c.LineOpened(0, 1)
	c.Received(0, 1, &wire.ServerMessage{ID: 1, Body: &wire.Connected{}})
	sent := 0
	for _, output := range c.Drain() {
		if send, ok := output.(*core.Send); ok {
			if publish, ok := send.Message.Command.(*wire.Publish); ok && string(publish.Payload.Bytes) == "2" {
				sent++
			}
		}
		if failed, ok := output.(*core.Failed); ok {
			t.Errorf("CLI-7: what was forgotten still counts: %+v", failed)
		}
	}
	if sent != 1 || c.Cancel(2) {
		t.Errorf("CLI-7: sent %d; what was sent cannot be forgotten", sent)
	}
}

func TestLimitsHoldAtTheirValue(t *testing.T) {
	publish := func(c *core.Core, request int64, size int) *core.Failed {
		c.Request(0, request, &wire.Publish{Channel: "chat:a", Payload: realtime.Binary(make([]byte, size))}, true)
		for _, output := range c.Drain() {
			if failed, ok := output.(*core.Failed); ok {
				return failed
			}
		}
		return nil
	}
	t.Run("CLI-7: 1,000 commands wait, and not one more", func(t *testing.T) {
		c := core.New(core.Options{URLs: []string{"ws://a/ws"}, Random: half})
		for n := range int64(1000) {
			if failed := publish(c, n, 1); failed != nil {
				t.Fatalf("command %d: %+v", n, failed)
			}
		}
		if failed := publish(c, 1000, 1); failed == nil || failed.Error.Code != realtime.CodeLimitExceeded {
			t.Errorf("one more: %+v", failed)
		}
	})
	t.Run("CLI-7: 1 MiB of commands waits, and not more", func(t *testing.T) {
		c := core.New(core.Options{URLs: []string{"ws://a/ws"}, Random: half})
		if failed := publish(c, 1, 786_300); failed != nil { // 1,048,400 in base64
			t.Fatalf("%+v", failed)
		}
		if failed := publish(c, 2, 200); failed == nil || failed.Error.Code != realtime.CodeLimitExceeded {
			t.Errorf("beyond: %+v", failed)
		}
	})
}

func TestAnOlderLineChangesNothing(t *testing.T) {
	c := connected("chat:a")
	c.LineClosed(10_000, 1, 1006, "")
	at, _ := c.Deadline()
	c.Tick(at)
	c.Drain()
	c.Received(at, 1, &wire.ServerMessage{Body: &wire.Publication{Channel: "chat:a", Offset: 11, Prev: 10, Payload: realtime.JSON([]byte("1"))}})
	c.LineClosed(at, 1, 4400, "")
	if got := c.Drain(); len(got) != 0 || c.State() != core.Connecting {
		t.Errorf("CLI-2: an older line made %v, the client is %s", got, c.State())
	}
	c.LineOpened(at, 1)
	if got := c.Drain(); len(got) != 1 || *got[0].(*core.Close) != (core.Close{Line: 1, Code: 1000}) {
		t.Errorf("CLI-2: a line that opens too late: %v", got)
	}
}

// FuzzServer feeds a core whatever a server may say, and holds it to what is true whatever that is. The input is text:
// each line that begins with a letter is an input of another kind, every other one goes to the decoder of servers' messages.
func FuzzServer(f *testing.F) {
	f.Add([]byte("o\n{\"id\":1,\"connect\":{\"connection\":\"c\",\"ping_ms\":1,\"message_bytes\":1}}\ns\n{\"subscribed\":{\"channel\":\"a\",\"epoch\":\"e\",\"offset\":3}}\n{\"publication\":{\"channel\":\"a\",\"offset\":9}}\nt\nt\n"))
	f.Add([]byte("s\no\n{\"id\":1,\"connect\":{}}\n{\"subscribed\":{\"channel\":\"a\",\"state\":{\"as_of\":9,\"entries\":[{\"key\":\"k\",\"value\":1,\"version\":2}],\"more\":true}}}\n{\"id\":2,\"state\":{\"more\":true}}\nu\nr\nc\n"))
	f.Add([]byte("o\n{\"id\":1,\"connect\":{\"expires_ms\":1,\"reconnect\":{\"window_ms\":9007199254740991}}}\np\n{\"id\":2,\"error\":{\"code\":152}}\nd\nx\nt\n"))
	f.Add([]byte("o\n{\"id\":1,\"error\":{\"code\":103}}\ns\np\nr\no\n{\"disconnect\":{}}\n"))
	f.Add([]byte("s\no\n{\"id\":1,\"connect\":{}}\n{\"subscribed\":{\"channel\":\"a\",\"presence\":{\"version\":3,\"count\":9,\"members\":[{\"user\":\"u\"}],\"more\":true}}}\n{\"presence\":{\"channel\":\"a\",\"version\":4,\"left\":[\"u\"]}}\n{\"id\":2,\"presence\":{\"members\":[{\"user\":\"u\"}]}}\n{\"unsubscribed\":{\"channel\":\"a\",\"code\":302}}\nw\nt\n"))
	f.Fuzz(func(t *testing.T, program []byte) {
		run := fuzzRun{t: t, core: core.New(core.Options{URLs: []string{"ws://a/ws", "ws://b/ws"}, Random: half, CommandsMax: 4, EntriesMax: 8})}
		run.core.Connect(0)
		run.check()
		for len(program) > 0 {
			var line []byte
			line, program = cutLine(program)
			run.give(line)
			run.check()
		}
	})
}

func cutLine(program []byte) (line, rest []byte) {
	for i, b := range program {
		if b == '\n' {
			return program[:i], program[i+1:]
		}
	}
	return program, nil
}

type fuzzRun struct {
	t        *testing.T
	core     *core.Core
	now      int64
	line     int // newest that was asked for
	closed   bool
	requests int64
	answers  map[int64]int
}

func (r *fuzzRun) give(line []byte) {
	r.now += 7
	kind := byte(0)
	if len(line) > 0 {
		kind = line[0]
	}
	switch kind {
	case 'o':
		r.core.LineOpened(r.now, r.line)
	case 'd':
		r.core.LineClosed(r.now, r.line, 1006, "")
	case 's':
		r.core.Subscribe(r.now, "a", &core.SubscribeOptions{State: true, Presence: wire.PresenceMembers})
	case 'u':
		r.core.Unsubscribe(r.now, "a")
	case 'p':
		r.requests++
		r.core.Request(r.now, r.requests, &wire.Publish{Channel: "a", Payload: realtime.JSON([]byte("1"))}, true)
	case 'e':
		r.requests++
		r.core.Request(r.now, r.requests, &wire.Enter{Channel: "a"}, true)
	case 'r':
		r.core.Connect(r.now)
	case 'c':
		r.core.Close(r.now)
	case 'x':
		r.core.Network(r.now, false)
	case 'w':
		r.core.Network(r.now, true)
	case 't':
		if at, ok := r.core.Deadline(); ok {
			r.now = max(r.now, at)
		}
		r.core.Tick(r.now)
		if at, ok := r.core.Deadline(); ok && at <= r.now {
			r.t.Fatalf("after its tick the deadline is still %d at %d", at, r.now)
		}
	default:
		r.receive(line)
	}
}

func (r *fuzzRun) receive(line []byte) {
	for decoder := wire.DecodeServer(wire.JSON, line); ; {
		message, err := decoder.Next()
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, wire.ErrMalformed) {
				r.t.Fatal(err)
			}
			return
		}
		r.core.Received(r.now, r.line, &message)
	}
}

// check is what holds whatever a server says.
func (r *fuzzRun) check() {
	if r.answers == nil {
		r.answers = make(map[int64]int)
	}
	for _, output := range r.core.Drain() {
		switch o := output.(type) {
		case *core.Open:
			if o.Line != r.line+1 {
				r.t.Fatalf("line %d follows %d", o.Line, r.line)
			}
			r.line, r.closed = o.Line, false
		case *core.Send:
			if o.Line != r.line || r.closed {
				r.t.Fatalf("CLI-2: something is sent on line %d", o.Line)
			}
		case *core.Close:
			r.closed = true
		case *core.StateChange:
			r.closed = r.closed || o.State == core.Waiting || o.State == core.Closed
		case *core.Reply:
			r.answered(o.Request)
		case *core.Failed:
			r.answered(o.Request)
		}
	}
	if at, ok := r.core.Deadline(); ok && (r.core.State() == core.Closed || r.core.State() == core.Idle) {
		r.t.Fatalf("CLI-1: a deadline %d in %s", at, r.core.State())
	}
	view := r.core.Subscription("a")
	if len(view.Entries) > 8 || len(view.Members) > 8 {
		r.t.Fatalf("%d entries and %d members are held", len(view.Entries), len(view.Members))
	}
}

func (r *fuzzRun) answered(request int64) {
	if r.answers[request]++; request < 1 || request > r.requests || r.answers[request] > 1 {
		r.t.Fatalf("request %d of %d has %d answers", request, r.requests, r.answers[request])
	}
}
