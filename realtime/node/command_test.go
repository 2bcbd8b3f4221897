package node

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/protocol/native"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
)

// TestCommands has one command each, after the commands before it have filled chat:a with two entries and a key.
func TestCommands(t *testing.T) {
	const from = `,"time_ms":1790000000000,"from":{"user":"ann","connection":"AAAAAAAAAAAAAAAAAAAAAA"}`
	before := []string{
		`{"publish":{"channel":"chat:a","data":"one","id":"p1"}}`,
		`{"update":{"channel":"chat:a","op":"increment","key":"k","by":1.5,"id":"u1"}}`,
	}
	for _, row := range []struct{ rule, say, want string }{
		{"PUB-1: publish", `{"id":2,"publish":{"channel":"chat:a","data":1}}`, `{"id":2,"publish":{"epoch":"` + epoch + `","offset":3}}`},
		{"POS-6: publish again", `{"id":2,"publish":{"channel":"chat:a","data":"one","id":"p1"}}`, `{"id":2,"publish":{"epoch":"` + epoch + `","offset":1,"duplicate":true}}`},
		{"POS-6: the same id with another content", `{"id":2,"publish":{"channel":"chat:a","data":"two","id":"p1"}}`, `{"id":2,"error":{"code":111,`},
		{"PUB-1: without log", `{"id":2,"publish":{"channel":"cursor:a","data":1}}`, `{"id":2,"publish":{}}`},
		{"PUB-4: the largest payload", `{"id":2,"publish":{"channel":"chat:a","data":"` + strings.Repeat("x", 1022) + `"}}`, `{"id":2,"publish":{`},
		{"PUB-4: one byte more", `{"id":2,"publish":{"channel":"chat:a","data":"` + strings.Repeat("x", 1023) + `"}}`, `{"id":2,"error":{"code":110,`},
		{"NAM-7: a publication id with a space", `{"id":2,"publish":{"channel":"chat:a","data":1,"id":"a b"}}`, `{"id":2,"error":{"code":100,`},
		{"NAM-1: a bad channel", `{"id":2,"publish":{"channel":"chat:*","data":1}}`, `{"id":2,"error":{"code":104,`},
		{"NAM-2: a namespace in capitals", `{"id":2,"publish":{"channel":"Chat:a","data":1}}`, `{"id":2,"error":{"code":104,`},
		{"NAM-3: an unknown namespace", `{"id":2,"publish":{"channel":"nope:a","data":1}}`, `{"id":2,"error":{"code":105,`},
		{"AUT-2: nobody may publish", `{"id":2,"publish":{"channel":"vip:a","data":1}}`, `{"id":2,"error":{"code":103,`},
		{"HIS-1: forward", `{"id":2,"history":{"channel":"chat:a","limit":1}}`, `{"id":2,"history":{"epoch":"` + epoch + `","top":2,"publications":[{"channel":"chat:a","offset":1,"data":"one","id":"p1"` + from + `}],"more":true}}`},
		{"HIS-1: reverse", `{"id":2,"history":{"channel":"chat:a","reverse":true,"limit":1}}`, `{"id":2,"history":{"epoch":"` + epoch + `","top":2,"publications":[{"channel":"chat:a","offset":2,"id":"u1"` + from + `,"state":{"key":"k","value":1.5}}],"more":true}}`},
		{"HIS-1: reverse before a position", `{"id":2,"history":{"channel":"chat:a","reverse":true,"since":{"epoch":"` + epoch + `","offset":1}}}`, `{"id":2,"history":{"epoch":"` + epoch + `","top":2}}`},
		{"HIS-2: another epoch", `{"id":2,"history":{"channel":"chat:a","limit":1,"since":{"epoch":"x","offset":7}}}`, `{"id":2,"history":{"epoch":"` + epoch + `","top":2,"publications":[{"channel":"chat:a","offset":1,"data":"one","id":"p1"` + from + `}],"more":true,"missed":{"from":8}}}`},
		{"SUB-14: history where there is none", `{"id":2,"history":{"channel":"cursor:a"}}`, `{"id":2,"error":{"code":106,`},
		{"STA-1: state", `{"id":2,"state":{"channel":"chat:a"}}`, `{"id":2,"state":{"epoch":"` + epoch + `","as_of":2,"entries":[{"key":"k","value":1.5,"version":2}]}}`},
		{"STA-1: after the last key", `{"id":2,"state":{"channel":"chat:a","after":"k"}}`, `{"id":2,"state":{"epoch":"` + epoch + `","as_of":2}}`},
		{"SUB-14: state where there is none", `{"id":2,"state":{"channel":"cursor:a"}}`, `{"id":2,"error":{"code":106,`},
		{"STA-2: increment", `{"id":2,"update":{"channel":"chat:a","op":"increment","key":"k"}}`, `{"id":2,"update":{"applied":true,"value":2.5,"version":3,"epoch":"` + epoch + `","offset":3}}`},
		{"STA-3: a condition that does not hold", `{"id":2,"update":{"channel":"chat:a","op":"set_if","key":"k","value":1,"version":0}}`, `{"id":2,"update":{"value":1.5,"version":2,"epoch":"` + epoch + `"`},
		{"STA-4: increment of what is no number", `{"id":2,"update":{"channel":"chat:a","op":"set_greater","key":"k","value":"x"}}`, `{"id":2,"error":{"code":100,`},
		{"STA-5: the same id again", `{"id":2,"update":{"channel":"chat:a","op":"increment","key":"k","by":1.5,"id":"u1"}}`, `{"id":2,"update":{"applied":true,"value":1.5,"version":2,"epoch":"` + epoch + `","offset":2,"duplicate":true}}`},
		{"STA-7: another's key", `{"id":2,"update":{"channel":"poll:a","op":"set","key":"bob","value":1}}`, `{"id":2,"error":{"code":103,`},
		{"STA-7: one's own key", `{"id":2,"update":{"channel":"poll:a","op":"set","key":"ann","value":1}}`, `{"id":2,"update":{"applied":true,`},
		{"STA-7: under one's own name is another's key", `{"id":2,"update":{"channel":"poll:a","op":"set","key":"ann/tea","value":1}}`, `{"id":2,"error":{"code":103,`},
		{"STA-7: a key that only begins like it", `{"id":2,"update":{"channel":"poll:a","op":"set","key":"anna","value":1}}`, `{"id":2,"error":{"code":103,`},
		{"STA-8: remove what is absent", `{"id":2,"update":{"channel":"chat:a","op":"remove","key":"x"}}`, `{"id":2,"update":{"epoch":"` + epoch + `"`},
		{"NAM-7: a key with a control character", `{"id":2,"update":{"channel":"chat:a","op":"remove","key":"a\u0000"}}`, `{"id":2,"error":{"code":100,`},
		{"PRE-1: enter without a subscription", `{"id":2,"enter":{"channel":"chat:a"}}`, `{"id":2,"error":{"code":107,`},
		{"PRE-3: presence", `{"id":2,"presence":{"channel":"chat:a"}}`, `{"id":2,"presence":{}}`},
		{"SUB-14: presence where there is none", `{"id":2,"presence":{"channel":"cursor:a"}}`, `{"id":2,"error":{"code":106,`},
		{"PRE-2: leave where one is not", `{"id":2,"leave":{"channel":"chat:a"}}`, `{"id":2,"leave":{}}`},
		{"CAL-1: no handler", `{"id":2,"call":{"method":"no.such"}}`, `{"id":2,"error":{"code":113,`},
		{"CAL-1: a bad method", `{"id":2,"call":{"method":"a b"}}`, `{"id":2,"error":{"code":100,`},
		{"MSG-1: an unknown command", `{"id":2,"dance":{}}`, `{"id":2,"error":{"code":101,"name":"unknown_command","message":"The message names no command, more than one, or one this server does not know."}}`},
		{"MSG-3: an error without id names the command", `{"publish":{"channel":"nope:a","data":1}}`, `{"error":{"code":105,"name":"unknown_namespace","message":"The channel's namespace is not configured on this server.","command":"publish"}}`},
		{"SRV-8: an error", `{"id":2,"presence":{"channel":"chat:a","limit":1001}}`, `{"id":2,"error":{"code":100,"name":"bad_request","message":"presence.limit is larger than 1000"}}`},
	} {
		t.Run(row.rule, func(t *testing.T) {
			f := newFixture(t, nil)
			l := f.connect("ann")
			l.say(before...) // MSG-3: no reply to what succeeds without id
			l.say(row.say)
			if got := l.next(); !strings.HasPrefix(got, row.want) {
				t.Fatalf("the server says\n%s\nwant\n%s", got, row.want)
			}
			l.quiet() // CON-6: the connection lives
		})
	}
}

func TestEcho(t *testing.T) { // PUB-2, PUB-3, SRV-2
	f := newFixture(t, nil)
	l, other := f.connect("ann"), f.connect("bob")
	for _, line := range []*line{l, other} {
		line.say(`{"subscribe":{"channels":[{"channel":"chat:a"},{"channel":"cursor:a"}]}}`)
		line.next()
		line.next()
	}
	l.say(`{"publish":{"channel":"chat:a","data":1,"echo":false}}`, `{"publish":{"channel":"cursor:a","data":2,"echo":false}}`)
	l.want(`{"publication":{"channel":"chat:a","offset":1,"time_ms":1790000000000,"skipped":true}}`)
	l.quiet()
	for _, want := range []string{`"offset":1,"data":1`, `"channel":"cursor:a","data":2`} {
		if got := other.next(); !strings.Contains(got, want) {
			t.Fatalf("got %s", got)
		}
	}
	l.say(`{"subscribe":{"channels":[{"channel":"chat:a","since":{"epoch":"` + epoch + `"}}]}}`) // a replay skips it too
	l.want(`{"subscribed":{"channel":"chat:a","epoch":"`+epoch+`","top":1,"recovered":true}}`, `{"publication":{"channel":"chat:a","offset":1,"time_ms":1790000000000,"skipped":true}}`)
	l.quiet()
}

func TestBothFramingsShareAChannel(t *testing.T) { // MSG-8
	f := newFixture(t, nil)
	l := f.connect("")
	l.say(`{"subscribe":{"channels":[{"channel":"chat:a"}]}}`)
	l.next()
	p := f.openWith(native.Proto, Hello{})
	p.binary = true
	p.say("\x02\x12\x00") // connect
	p.next()
	p.say("\x12\x2a\x10\x0a\x06chat:a\x12\x06\x12\x04\x00\x01\xfe\xff"[:19])
	if got := l.next(); !strings.Contains(got, `"offset":1,"data64":"AAH+/w=="`) {
		t.Fatalf("got %s", got)
	}
}

func TestPresence(t *testing.T) { // PRE-1, PRE-2, PRE-3, PRE-4, SUB-11, SUB-12, SRV-4, UNS-2
	f := newFixture(t, nil)
	watch, count := f.connect("w"), f.connect("c")
	watch.say(`{"subscribe":{"channels":[{"channel":"chat:a","presence":"members"}]}}`)
	watch.want(`{"subscribed":{"channel":"chat:a","epoch":"` + epoch + `","presence":{}}}`)
	count.say(`{"subscribe":{"channels":[{"channel":"chat:a","presence":"count"}]}}`)
	count.next()
	tell := func() { f.node.hub.Tick(f.clock.move(time.Second)) } // what changed within the window
	ann := f.connect("ann")
	ann.say(`{"subscribe":{"channels":[{"channel":"chat:a","enter":{"typing":true},"presence":"members"}]}}`)
	const member = `{"user":"ann","info":{"name":"ann"},"connections":[{"connection":"AAAAAAAAAAAAAAAAAAAAIA","data":{"typing":true}}]}`
	ann.want(`{"subscribed":{"channel":"chat:a","epoch":"` + epoch + `","presence":{"version":1,"count":1,"members":[` + member + `]}}}`)
	watch.want(`{"presence":{"channel":"chat:a","version":1,"count":1,"set":[` + member + `]}}`)
	count.want(`{"presence":{"channel":"chat:a","version":1,"count":1}}`)
	tell()

	second := f.connect("ann") // another tab: one user
	second.say(`{"id":2,"subscribe":{"channels":[{"channel":"chat:a"}]}}`, `{"id":3,"enter":{"channel":"chat:a"}}`)
	second.next()
	second.want(`{"id":2,"subscribe":{}}`, `{"id":3,"enter":{}}`)
	if got := watch.next(); !strings.HasPrefix(got, `{"presence":{"channel":"chat:a","version":2,"count":1,"set":[{"user":"ann"`) || strings.Count(got, `"connection":`) != 2 {
		t.Fatalf("got %s", got)
	}
	tell()
	ann.connection.Closed(errors.New("the line broke"))
	if got := watch.next(); !strings.HasPrefix(got, `{"presence":{"channel":"chat:a","version":3,"count":1,"set":[{"user":"ann"`) {
		t.Fatalf("got %s", got)
	}
	tell()
	second.say(`{"id":4,"unsubscribe":{"channels":["chat:a"]}}`)
	watch.want(`{"presence":{"channel":"chat:a","version":4,"left":["ann"]}}`)
	watch.say(`{"id":5,"presence":{"channel":"chat:a"}}`)
	watch.want(`{"id":5,"presence":{"version":4}}`)
}

func TestPresenceDataIsBounded(t *testing.T) {
	f := newFixture(t, nil)
	l := f.connect("ann")
	l.say(`{"subscribe":{"channels":[{"channel":"chat:a"}]}}`)
	l.next()
	l.say(`{"id":2,"enter":{"channel":"chat:a","data":"` + strings.Repeat("x", 1023) + `"}}`)
	l.want(`{"id":2,"error":{"code":110,"name":"too_large","message":"the data of a member has at most 1024 bytes"}}`)
}

func TestCalls(t *testing.T) { // CAL-1
	f := newFixture(t, nil)
	f.node.Handle("echo", func(_ context.Context, r CallRequest) (realtime.Payload, error) {
		return realtime.JSON([]byte(`"` + r.User + ` ` + string(r.Payload.Bytes) + `"`)), nil
	})
	f.node.Handle("fail", func(context.Context, CallRequest) (realtime.Payload, error) {
		return realtime.Payload{}, errors.New("secret")
	})
	f.node.Handle("refuse", func(context.Context, CallRequest) (realtime.Payload, error) {
		return realtime.Payload{}, realtime.NewError(realtime.CodeNotFound, "no such cart")
	})
	l := f.connect("ann")
	l.say(`{"id":2,"call":{"method":"echo","data":7}}`, `{"id":3,"call":{"method":"fail"}}`, `{"id":4,"call":{"method":"refuse"}}`)
	l.want(`{"id":2,"call":{"data":"ann 7"}}`,
		`{"id":3,"error":{"code":150,"name":"internal","message":"The server failed. It is not the command's fault; the server's log has the cause."}}`,
		`{"id":4,"error":{"code":114,"name":"not_found","message":"no such cart"}}`)
}

func TestACallThatTakesTooLong(t *testing.T) { // CAL-1
	f := newFixture(t, func(c *Config) { c.Limits.CallTimeout = time.Millisecond })
	f.node.Handle("wait", func(ctx context.Context, _ CallRequest) (realtime.Payload, error) {
		<-ctx.Done()
		return realtime.Payload{}, ctx.Err()
	})
	l := f.connect("ann")
	l.say(`{"id":2,"call":{"method":"wait"}}`)
	l.want(`{"id":2,"error":{"code":153,"name":"timeout","message":"The answer did not come in time. Whether the command was carried out is unknown: send it again with the same id."}}`)
}

func TestAHandlerThatPanicsFailsItsCallOnly(t *testing.T) { // VC-15
	f := newFixture(t, nil)
	f.node.Handle("boom", func(context.Context, CallRequest) (realtime.Payload, error) { panic("boom") })
	l := f.connect("")
	l.say(`{"id":2,"call":{"method":"boom"}}`)
	if got := l.next(); !strings.HasPrefix(got, `{"id":2,"error":{"code":150,`) {
		t.Fatalf("got %s", got)
	}
	l.quiet()
	if n := f.node.Info().Counters.Panics; n != 1 || !strings.Contains(f.log.String(), "panic=boom") {
		t.Errorf("%d panics, log %s", n, f.log)
	}
	f.log.forget()
}

func (s *syncBuffer) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.b.Reset()
}

func TestErrorFloodEndsTheConnection(t *testing.T) { // CON-7, AP-17
	f := newFixture(t, func(c *Config) { c.Limits.CommandBurst = 2000 })
	l := f.connect("")
	for range 20 {
		l.say(`{"id":2,"dance":{}}`)
		l.next()
	}
	f.clock.move(10 * time.Second) // the twenty are past
	for range 20 {
		l.say(`{"id":2,"publish":{"channel":"nope:a","data":1}}`) // refused by the node, not by the decoder
		l.next()
	}
	f.clock.move(10*time.Second - 1)
	l.say(`{"id":2,"dance":{}}`)
	l.want(`{"disconnect":{"code":4429,"reason":"flooding"}}`)
	l.wantClosed(realtime.CodeFlooding)
}

func TestCommandRate(t *testing.T) { // CON-7, section 13
	f := newFixture(t, nil)
	l := f.connect("") // one of the hundred
	for range 99 {
		l.say(`{"ping":{}}`)
	}
	l.say(`{"id":2,"ping":{}}`)
	l.want(`{"id":2,"error":{"code":152,"name":"rate_limited","message":"Too many commands in too short a time. The command was not carried out."}}`)
	f.clock.move(20 * time.Millisecond)
	l.say(`{"id":3,"ping":{}}`, `{"id":4,"ping":{}}`)
	l.want(fmt.Sprintf(`{"id":3,"ping":{"time_ms":%d}}`, f.clock.Now().UnixMilli()))
	if got := l.next(); !strings.HasPrefix(got, `{"id":4,"error":{"code":152`) {
		t.Fatalf("got %s", got)
	}
	for range 998 {
		l.say(`{"id":5,"ping":{}}`)
		l.next()
	}
	l.say(`{"id":5,"ping":{}}`)
	l.want(`{"disconnect":{"code":4429,"reason":"flooding"}}`)
}

func TestTheApplicationsBackend(t *testing.T) { // POS-8, STA-7
	f := newFixture(t, nil)
	ctx := t.Context()
	l := f.connect("ann")
	l.say(`{"subscribe":{"channels":[{"channel":"chat:a"}]}}`)
	l.next()
	results := f.node.Broadcast(ctx, []string{"chat:a", "nope:a", "chat:b"}, broker.Draft{Payload: realtime.JSON([]byte("1"))})
	if len(results) != 3 || results[0].Published.Position.Offset != 1 || realtime.CodeOf(results[1].Err) != 105 || results[2].Err != nil {
		t.Errorf("broadcast %+v", results)
	}
	l.want(entries("chat:a", 1, 1)...)
	if _, err := f.node.Update(ctx, broker.Update{Channel: "poll:a", Op: broker.OpSet, Key: "bob", Value: realtime.JSON([]byte("1"))}); err != nil {
		t.Error(err)
	}
	if page, err := f.node.Channels(ctx, broker.ChannelsQuery{Pattern: "chat:*"}); err != nil || len(page.Channels) != 2 {
		t.Errorf("channels %+v, %v", page, err)
	}
	for rule, err := range map[string]error{
		"no payload":        second(f.node.Publish(ctx, broker.Draft{Channel: "chat:a"})),
		"no op":             second(f.node.Update(ctx, broker.Update{Channel: "chat:a", Key: "k"})),
		"no value":          second(f.node.Update(ctx, broker.Update{Channel: "chat:a", Key: "k", Op: broker.OpSet})),
		"a limit of 1001":   second(f.node.History(ctx, "chat:a", broker.HistoryQuery{Limit: 1001})),
		"a limit below 0":   second(f.node.State(ctx, "chat:a", broker.StateQuery{Limit: -1})),
		"two targets":       second(f.node.Disconnect(ctx, Target{User: "a", Connection: "b"}, 0, "")),
		"no target":         second(f.node.Unsubscribe(ctx, Target{}, "chat:a")),
		"an error's code":   second(f.node.Disconnect(ctx, Target{User: "ann"}, 103, "")),
		"a reason too long": second(f.node.Disconnect(ctx, Target{User: "ann"}, 0, strings.Repeat("x", 124))),
	} {
		if realtime.CodeOf(err) != realtime.CodeBadRequest {
			t.Errorf("%s: %v", rule, err)
		}
	}
	if count, err := f.node.Disconnect(ctx, Target{User: "ann"}, 0, "banned"); count != 1 || err != nil {
		t.Errorf("disconnected %d, %v", count, err)
	}
	l.want(`{"disconnect":{"code":4410,"reason":"banned"}}`)
	l.wantClosed(realtime.CodeDisconnected)
}

func second[T any](_ T, err error) error { return err }
