package node

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/protocol/native"
	"github.com/bellwire/bellwire/realtime"
)

func TestWhatEndsALineBeforeItIsConnected(t *testing.T) {
	for _, row := range []struct {
		rule, message, told string
		binary, anonymous   bool
		code                realtime.Code
	}{
		{"CON-4: anything but connect first", `{"id":1,"ping":{}}`, "bad_protocol", false, true, 4400},
		{"CON-4: a wrong command first", `{"id":1,"publish":{}}`, "bad_protocol", false, true, 4400},
		{"CON-4: an unknown command first", `{"id":1,"dance":{}}`, "bad_protocol", false, true, 4400},
		{"CON-6: no JSON", `hello`, "bad_protocol", false, true, 4400},
		{"CON-2: a message of the wrong kind", `{"id":1,"connect":{}}`, "", true, true, 1003},
		{"CNT-5: a token that is not valid", `{"id":1,"connect":{"token":"forged"}}`, "invalid_token", false, true, 4401},
		{"CNT-5: an expired token", `{"id":1,"connect":{"token":"expired"}}`, "expired", false, true, 4501},
		{"CNT-5: no token where anonymous access is off", `{"id":1,"connect":{}}`, "forbidden", false, false, 4403},
		{"NAM-5: a user that begins with ~", `{"id":1,"connect":{"token":"user ~x"}}`, "invalid_token", false, true, 4401},
		{"NAM-5: a user with a control character", `{"id":1,"connect":{"token":"user a\u0007"}}`, "invalid_token", false, true, 4401},
	} {
		t.Run(row.rule, func(t *testing.T) {
			f := newFixture(t, func(c *Config) { c.AllowAnonymous = row.anonymous })
			l := f.bare()
			l.binary = row.binary
			l.say(row.message)
			l.wantClosed(row.code)
			if row.told == "" {
				return
			}
			m := l.next()
			if !strings.HasPrefix(m, fmt.Sprintf(`{"disconnect":{"code":%d,`, row.code)) || row.code.Retry() != strings.Contains(m, `"reconnect":{"window_ms":1000}`) { // SRV-7
				t.Errorf("the last message is %s", m)
			}
		})
	}
}

func TestTheLogSaysWhichCheckOfATokenFailed(t *testing.T) { // CNT-5
	f := newFixture(t, nil)
	l := f.bare()
	l.say(`{"id":1,"connect":{"token":"forged"}}`)
	l.want(`{"disconnect":{"code":4401,"reason":"invalid_token"}}`)
	if !strings.Contains(f.log.String(), "the signature is wrong") {
		t.Errorf("the log says %s", f.log)
	}
}

func TestAConnectThatIsWrongMayBeRepaired(t *testing.T) { // CON-6, CNT-4, MSG-2
	f := newFixture(t, nil)
	l := f.bare()
	l.say(`{"id":1,"connect":{"token":7}}`)
	l.want(`{"id":1,"error":{"code":100,"name":"bad_request","message":"connect.token must be a string"}}`)
	l.say(`{"id":2,"connect":{}}`)
	l.next()
	l.say(`{"id":3,"connect":{}}`)
	l.want(`{"id":3,"error":{"code":108,"name":"already_connected","message":"A second connect command came on one connection."}}`)
	l.quiet()
}

func TestAWholeConnectionResumesInOneMessage(t *testing.T) { // CNT-1, CNT-3, MSG-4, CLI-4
	f := newFixture(t, nil)
	p := f.connect("")
	p.say(`{"publish":{"channel":"chat:a","data":1}}`, `{"publish":{"channel":"chat:a","data":2}}`)
	l := f.bare()
	l.say(`{"id":1,"connect":{"token":"user ann","subscribe":[{"channel":"chat:a","since":{"epoch":"0000000000000-1","offset":1}},{"channel":"nope:x"},{"channel":"cursor:page"}]}}`,
		`{"id":2,"ping":{}}`)
	if m := l.next(); !strings.HasPrefix(m, `{"id":1,"connect":`) {
		t.Fatalf("the first message is %s", m)
	}
	l.want(`{"subscribed":{"channel":"chat:a","epoch":"0000000000000-1","offset":1,"top":2,"recovered":true}}`)
	l.want(`{"publication":{"channel":"chat:a","offset":2,"data":2,"time_ms":1790000000000,"from":{"user":"~AAAAAAAAAAAAAAAAAAAAAA","connection":"AAAAAAAAAAAAAAAAAAAAAA"}}}`)
	l.want(`{"subscribed":{"channel":"nope:x","error":{"code":105,"name":"unknown_namespace","message":"The channel's namespace is not configured on this server."}}}`) // NAM-3
	l.want(`{"subscribed":{"channel":"cursor:page"}}`)
	l.want(`{"id":2,"ping":{"time_ms":1790000000000}}`) // PIN-1
	l.quiet()
}

func TestAClientThatSaysNothing(t *testing.T) { // TEN-1
	f := newFixture(t, nil)
	l := f.openWith(native.JSON, Hello{Channels: []string{"chat:a", "cursor:*"}, Token: "user ann"})
	if m := l.next(); !strings.HasPrefix(m, `{"connect":{"connection":"AAAAAAAAAAAAAAAAAAAAAA","user":"ann"`) {
		t.Fatalf("the first message is %s", m)
	}
	l.want(`{"subscribed":{"channel":"chat:a","epoch":"0000000000000-1"}}`, `{"subscribed":{"channel":"cursor:*"}}`)
	f.connect("").say(`{"publish":{"channel":"cursor:page","data":1}}`)
	if m := l.next(); !strings.Contains(m, `"channel":"cursor:page","data":1`) {
		t.Fatalf("got %s", m)
	}
	l.quiet()
}

func TestConnectTimeout(t *testing.T) { // CON-5
	f := newFixture(t, nil)
	l := f.bare()
	f.node.tick(f.clock.move(10*time.Second - 1))
	l.say(`{"id":1,"connect":{"client":1}}`) // an attempt that fails does not count
	l.next()
	f.node.tick(f.clock.move(1))
	l.want(`{"disconnect":{"code":4408,"reason":"connect_timeout"}}`)
	l.wantClosed(realtime.CodeConnectTimeout)
}

func TestAnExpiredConnection(t *testing.T) { // REF-1, REF-2, AUT-6
	f := newFixture(t, nil)
	l := f.bare()
	l.say(`{"id":1,"connect":{"token":"hour ann"}}`)
	if m := l.next(); !strings.Contains(m, `"expires_ms":3600000`) {
		t.Fatalf("connect was answered with %s", m)
	}
	f.node.tick(f.clock.move(time.Hour + 24*time.Second))
	l.say(`{"id":2,"refresh":{"token":"hour bob"}}`, `{"id":3,"refresh":{"token":"forged"}}`, `{"id":4,"refresh":{"token":"expired"}}`)
	l.want(`{"id":2,"error":{"code":103,"name":"permission_denied","message":"the token is another user's"}}`,
		`{"id":3,"error":{"code":102,"name":"unauthorized","message":"the token is not valid"}}`,
		`{"id":4,"error":{"code":112,"name":"token_expired","message":"The token was valid once and is not any more. Fetch a new one and try again with it."}}`)
	l.say(`{"id":5,"refresh":{"token":"hour ann"}}`)
	l.want(`{"id":5,"refresh":{"expires_ms":3600000}}`)
	f.node.tick(f.clock.move(time.Hour + 25*time.Second - 1))
	l.quiet()
	f.node.tick(f.clock.move(1))
	l.want(`{"disconnect":{"code":4501,"reason":"expired","reconnect":{"window_ms":1000}}}`)
	l.wantClosed(realtime.CodeExpired)
}

func TestAdmission(t *testing.T) { // LIV-3, LIV-5
	f := newFixture(t, func(c *Config) {
		c.Limits.ConnectionsMax, c.Limits.AdmissionRate, c.Limits.AdmissionBurst = 3, 1, 2
	})
	refused := func(code realtime.Code) {
		t.Helper()
		if _, err := f.node.Open(&line{t: t, closed: make(chan struct{})}, native.JSON, Hello{}); realtime.CodeOf(err) != code {
			t.Fatalf("opened: %v, want %d", err, code)
		}
	}
	first := f.bare()
	f.bare()
	refused(realtime.CodeOverloaded) // the burst is used up
	f.clock.move(time.Second)
	f.bare()
	f.clock.move(time.Second)
	refused(realtime.CodeOverloaded) // three connections
	if got := f.node.RetryAfter(); got != 4285714285*time.Nanosecond {
		t.Errorf("the window of 3 connections at 1 a second is %v", got)
	}
	first.connection.Closed(nil)
	f.clock.move(time.Second)
	f.bare()
	if got := f.node.Info(); got.Connections != 3 || got.Counters.Opened != 4 || got.Counters.Refused != 2 {
		t.Errorf("info %+v", got)
	}
}

func TestTheWindowIsToldWhenItHasChangedByHalf(t *testing.T) { // LIV-4, SRV-6
	for _, row := range []struct {
		told, present time.Duration
		changed       bool
	}{
		{2 * time.Second, 2999 * time.Millisecond, false}, {2 * time.Second, 3 * time.Second, true},
		{2 * time.Second, 1001 * time.Millisecond, false}, {2 * time.Second, time.Second, true},
	} {
		if got := hasChanged(row.told, row.present); got != row.changed {
			t.Errorf("%v to %v: %t", row.told, row.present, got)
		}
	}
	f := newFixture(t, nil)
	l := f.connect("")
	f.bare() // has not connected: is not told
	f.node.notify(4 * time.Second)
	l.want(`{"notice":{"reconnect":{"window_ms":4000}}}`)
	l.quiet()
}

func TestDrain(t *testing.T) { // LIV-5, SRV-7
	f := newFixture(t, nil)
	lines := []*line{f.connect("ann"), f.connect("bob"), f.bare()}
	lines[0].say(`{"id":2,"subscribe":{"channels":[{"channel":"chat:a"}]}}`, `{"id":3,"publish":{"channel":"chat:a","data":1}}`)
	for _, l := range lines {
		go func() { // what a transport does
			<-l.closed
			l.connection.Closed(nil)
		}()
	}
	if err := f.node.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := f.node.Drain(t.Context(), time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if err := f.node.Ready(t.Context()); realtime.CodeOf(err) != realtime.CodeUnavailable {
		t.Errorf("ready: %v", err)
	}
	if _, err := f.node.Open(lines[0], native.JSON, Hello{}); realtime.CodeOf(err) != realtime.CodeRestart {
		t.Errorf("open: %v", err)
	}
	for range 4 { // subscribed, its reply, the publication and its reply: everything queued was sent
		lines[0].next()
	}
	for _, l := range lines {
		l.wantClosed(realtime.CodeRestart)
		l.want(`{"disconnect":{"code":4500,"reason":"restart","reconnect":{"window_ms":1000}}}`)
	}
	if info := f.node.Info(); info.Connections != 0 || info.Users != 0 {
		t.Errorf("info %+v", info)
	}
}

// closings keeps the codes under which connections were counted as closed.
type closings struct {
	noMetrics
	codes chan realtime.Code
}

func (c closings) ConnectionClosed(_, _ string, code realtime.Code) { c.codes <- code }

func TestAClosingIsCountedUnderItsCode(t *testing.T) { // LIV-1
	rows := []struct {
		name  string
		cause error
		code  realtime.Code
	}{
		{"closed properly", nil, codeClosed},
		{"silent", realtime.NewError(realtime.CodeNoPong, ""), realtime.CodeNoPong},
		{"broke the protocol below", realtime.NewError(1002, "reserved bits"), 1002},
		{"just gone", errors.New("connection reset by peer"), 0},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			counted := closings{codes: make(chan realtime.Code, 1)}
			f := newFixture(t, func(c *Config) { c.Metrics = counted })
			f.connect("").connection.Closed(row.cause)
			if code := <-counted.codes; code != row.code {
				t.Errorf("counted under %d, want %d", code, row.code)
			}
		})
	}
	t.Run("ended by the session before", func(t *testing.T) {
		counted := closings{codes: make(chan realtime.Code, 1)}
		f := newFixture(t, func(c *Config) { c.Metrics = counted })
		l := f.connect("")
		l.connection.end(realtime.CodeDisconnected, "")
		l.wantClosed(realtime.CodeDisconnected)
		l.connection.Closed(errors.New("broken pipe"))
		if code := <-counted.codes; code != realtime.CodeDisconnected {
			t.Errorf("counted under %d", code)
		}
	})
}
