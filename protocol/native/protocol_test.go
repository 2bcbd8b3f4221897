package native_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/protocol/native"
	"github.com/bellwire/bellwire/protocol/native/wire"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/hub"
	"github.com/bellwire/bellwire/realtime/session"
)

func TestTheSubprotocolChoosesTheFraming(t *testing.T) { // CON-1
	for _, row := range []struct {
		name   string
		want   native.Protocol
		binary bool
		ok     bool
	}{
		{"", native.JSON, false, true}, {"bellwire.v1.json", native.JSON, false, true},
		{"bellwire.v1.proto", native.Proto, true, true}, {"bellwire.v2.json", native.JSON, false, false},
	} {
		p, ok := native.BySubprotocol(row.name)
		if ok != row.ok || ok && (p != row.want || (p.Framing() == hub.FramingBinary) != row.binary) {
			t.Errorf("%q gives %v, %t", row.name, p.Name(), ok)
		}
	}
	for _, name := range native.Subprotocols() {
		if p, ok := native.BySubprotocol(name); !ok || p.Name() != name {
			t.Errorf("%q is offered and is %v, %t", name, p.Name(), ok)
		}
	}
}

// messages has one of every kind.
var messages = map[string]session.Message{
	`{"id":7,"connect":{"connection":"c","ping_ms":1,"reconnect":{"window_ms":1000},"time_ms":5}}`: &session.Connected{
		Connection: "c", Ping: time.Microsecond, Window: time.Second, Time: time.UnixMilli(5),
	},
	`{"id":7,"subscribe":{}}`:   &session.Done{Command: session.DoneSubscribe},
	`{"id":7,"unsubscribe":{}}`: &session.Done{Command: session.DoneUnsubscribe},
	`{"id":7,"enter":{}}`:       &session.Done{Command: session.DoneEnter},
	`{"id":7,"leave":{}}`:       &session.Done{Command: session.DoneLeave},
	`{"id":7,"publish":{}}`:     &session.Published{},
	`{"id":7,"history":{}}`:     &session.HistoryPage{},
	`{"id":7,"state":{}}`:       &session.StatePage{},
	`{"id":7,"update":{}}`:      &session.Updated{},
	`{"id":7,"presence":{}}`:    &session.PresencePage{},
	`{"id":7,"call":{}}`:        &session.Called{},
	`{"id":7,"refresh":{}}`:     &session.Refreshed{},
	`{"id":7,"ping":{}}`:        &session.Pong{Time: time.UnixMilli(-1)},
	`{"id":7,"error":{"code":103,"name":"permission_denied","message":"no"}}`: &session.Failed{Command: "publish", Err: realtime.NewError(103, "no")},
	`{"subscribed":{"channel":"a"}}`:                                          &session.Subscribed{Channel: "a"},
	`{"subscribed":{"channel":"a","recovered":false}}`:                        &session.Subscribed{Channel: "a", Resumed: true},
	`{"unsubscribed":{"channel":"a","code":300}}`:                             &session.Unsubscribed{Channel: "a", Code: 300},
	`{"notice":{"reconnect":{"window_ms":1}}}`:                                &session.Notice{Window: 1},
	`{"disconnect":{"code":4410}}`:                                            &session.Disconnect{Code: 4410},
}

func TestEveryMessageHasItsForm(t *testing.T) { // CON-3, SRV-1, SRV-5, SRV-6, SRV-7, SRV-8
	for want, m := range messages {
		id := uint32(0)
		if strings.HasPrefix(want, `{"id":`) {
			id = 7
		}
		if got := string(native.JSON.Encode(id, m)); got != want+"\n" {
			t.Errorf("%T is\n%s, want\n%s", m, got, want)
		}
		d := wire.DecodeServer(wire.Proto, native.Proto.Encode(id, m))
		if got, err := d.Next(); err != nil || got.ID != id || got.Body == nil {
			t.Errorf("%T in protobuf: %+v, %v", m, got, err)
		}
	}
}

func TestErrorsNameTheCommandOnlyWithoutID(t *testing.T) { // MSG-3, SRV-8
	m := &session.Failed{Command: "publish", Err: realtime.NewError(103, "no")}
	const want = `{"error":{"code":103,"name":"permission_denied","message":"no","command":"publish"}}` + "\n"
	if got := string(native.JSON.Encode(0, m)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestRequests(t *testing.T) { // CON-2, CON-6
	for _, row := range []struct {
		rule, message string
		binary        bool
		want          []string
	}{
		{"in order, a refused one between", "{\"id\":1,\"ping\":{}}\n{\"id\":2,\"ping\":1}\n{\"ping\":{}}", false, []string{"ping", "100 ping", "ping"}},
		{"malformed after a good one", "{\"ping\":{}}\nx\n{\"ping\":{}}", false, []string{"ping", "end 4400"}},
		{"a line feed at the end", "{\"ping\":{}}\n", false, []string{"ping"}},
		{"an empty message", "", false, []string{"end 4400"}},
		{"an empty line", "{\"ping\":{}}\n\n{\"ping\":{}}", false, []string{"ping", "end 4400"}},
		{"of the wrong kind", `{"ping":{}}`, true, []string{"end 1003"}},
	} {
		t.Run(row.rule, func(t *testing.T) {
			var got []string
			for rest, more := []byte(row.message), true; more; more = len(rest) > 0 {
				var r session.Request
				var err error
				switch r, rest, err = native.JSON.Next(rest, row.binary); {
				case err != nil:
					got = append(got, "end "+itoa(realtime.CodeOf(err)))
				case r.Err != nil:
					got = append(got, itoa(r.Err.Code)+" "+r.Name)
				default:
					got = append(got, r.Name)
				}
			}
			if strings.Join(got, ", ") != strings.Join(row.want, ", ") {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func itoa(code realtime.Code) string { return strconv.Itoa(int(code)) }
