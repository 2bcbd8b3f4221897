package node

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
)

const epoch = "0000000000000-1" // of the first channel of a fixture

// publish is by the application's backend, so that from is absent (POS-8).
func (f *fixture) publish(channel string, from, to int) {
	f.t.Helper()
	for n := from; n <= to; n++ {
		draft := broker.Draft{Channel: channel, Payload: realtime.JSON(fmt.Append(nil, n))}
		if _, err := f.node.Publish(f.t.Context(), draft); err != nil {
			f.t.Fatal(err)
		}
	}
	if f.loop != nil {
		f.loop.wait() // until it has been delivered, as it is without a carrier
	}
}

// entries are the messages of entries whose payload is their offset.
func entries(channel string, from, to int) (messages []string) {
	for n := from; n <= to; n++ {
		messages = append(messages, fmt.Sprintf(`{"publication":{"channel":%q,"offset":%d,"data":%d,"time_ms":1790000000000}}`, channel, n, n))
	}
	return messages
}

func TestWhereTheStreamBegins(t *testing.T) {
	for _, row := range []struct {
		rule, wish, subscribed string
		from                   int // first entry that follows
	}{
		{"SUB-3: without since, the top", `"channel":"chat:a"`, `"offset":14,"top":14`, 15},
		{"SUB-3: rewind", `"channel":"chat:a","rewind":2`, `"offset":12,"top":14`, 13},
		{"SUB-3: rewind beyond what is held", `"channel":"chat:a","rewind":4000000000`, `"offset":4,"top":14`, 5},
		{"SUB-4: inside", `"channel":"chat:a","since":{"epoch":"` + epoch + `","offset":11}`, `"offset":11,"top":14,"recovered":true`, 12},
		{"SUB-4: at the top", `"channel":"chat:a","since":{"epoch":"` + epoch + `","offset":14}`, `"offset":14,"top":14,"recovered":true`, 15},
		{"SUB-5: older than what is held", `"channel":"chat:a","since":{"epoch":"` + epoch + `","offset":2}`, `"offset":4,"top":14,"recovered":false,"missed":{"from":3,"to":4}`, 5},
		{"SUB-6: another epoch", `"channel":"chat:a","since":{"epoch":"old","offset":2}`, `"offset":4,"top":14,"recovered":false,"missed":{"from":3}`, 5},
		{"SUB-6: beyond the top", `"channel":"chat:a","since":{"epoch":"` + epoch + `","offset":99}`, `"offset":4,"top":14,"recovered":false,"missed":{"from":100}`, 5},
	} {
		t.Run(row.rule, func(t *testing.T) { // SUB-2, SUB-7, POS-3
			f := newFixture(t, nil)
			f.publish("chat:a", 1, 14)
			l := f.connect("")
			l.say(`{"id":2,"subscribe":{"channels":[{` + row.wish + `}]}}`)
			l.want(`{"subscribed":{"channel":"chat:a","epoch":"` + epoch + `",` + row.subscribed + `}}`)
			l.want(entries("chat:a", row.from, 14)...)
			l.want(`{"id":2,"subscribe":{}}`)
			f.publish("chat:a", 15, 16)
			l.want(entries("chat:a", 15, 16)...)
			l.quiet()
		})
	}
}

func TestSubscribeIsRefused(t *testing.T) {
	for _, row := range []struct {
		rule, wish string
		code       realtime.Code
	}{
		{"NAM-1: a space", `"channel":"chat:a b"`, 104},
		{"NAM-1: longer than 255 bytes", `"channel":"` + strings.Repeat("x", 256) + `"`, 0},
		{"NAM-2: nothing after the colon", `"channel":"chat:"`, 104},
		{"NAM-3: an unknown namespace", `"channel":"nope:a"`, 105},
		{"NAM-4: a star in the middle", `"channel":"chat:*a"`, 104},
		{"AUT-2: nobody may without a grant", `"channel":"vip:a"`, 103},
		{"SUB-10: a pattern with since", `"channel":"chat:*","since":{"epoch":"e"}`, 100},
		{"SUB-10: a pattern with rewind", `"channel":"chat:*","rewind":1`, 100},
		{"SUB-10: a pattern with a snapshot", `"channel":"chat:*","state":true`, 100},
		{"SUB-10: a pattern with presence", `"channel":"chat:*","presence":"count"`, 100},
		{"SUB-10: a pattern with enter", `"channel":"chat:*","enter":1`, 100},
		{"AUT-1: a pattern that lies in no namespace", `"channel":"*"`, 103},
		{"SUB-14: since without a log", `"channel":"cursor:a","since":{"epoch":"e"}`, 106},
		{"SUB-14: rewind without history", `"channel":"cursor:a","rewind":1`, 106},
		{"SUB-14: a snapshot without state", `"channel":"cursor:a","state":true`, 106},
		{"SUB-14: presence without presence", `"channel":"cursor:a","presence":"members"`, 106},
		{"SUB-14: enter without presence", `"channel":"cursor:a","enter":1`, 106},
		{"SUB-13: a token that is not valid", `"channel":"vip:a","token":"forged"`, 102},
		{"SUB-13: an expired token", `"channel":"vip:a","token":"expired"`, 112},
		{"AUT-4: a token of another user", `"channel":"vip:a","token":"channel bob vip:a"`, 103},
		{"AUT-4: a token for another channel", `"channel":"vip:a","token":"channel ann vip:b"`, 103},
		{"AUT-4: it grants no enter", `"channel":"vip:a","token":"channel ann vip:a","enter":1`, 103},
	} {
		t.Run(row.rule, func(t *testing.T) { // SUB-1, SRV-1
			f := newFixture(t, nil)
			l := f.connect("ann")
			l.say(`{"id":2,"subscribe":{"channels":[{` + row.wish + `}]}}`)
			m := l.next()
			if row.code == 0 {
				if !strings.HasPrefix(m, `{"id":2,"error":{"code":100`) {
					t.Fatalf("got %s", m)
				}
				return
			}
			if !strings.HasPrefix(m, `{"subscribed":{"channel":`) || !strings.Contains(m, fmt.Sprintf(`"error":{"code":%d,`, row.code)) {
				t.Fatalf("got %s", m)
			}
			l.want(`{"id":2,"subscribe":{}}`)
			l.quiet()
			if n := f.node.Info().Subscriptions; n != 0 {
				t.Errorf("%d subscriptions are left in the hub", n)
			}
		})
	}
}

func TestASubscriptionToken(t *testing.T) { // SUB-13, AUT-4, REF-1, REF-2
	f := newFixture(t, nil)
	l := f.connect("ann")
	l.say(`{"id":2,"subscribe":{"channels":[{"channel":"vip:a","token":"channel ann vip:a","presence":"count"}]}}`)
	l.want(`{"subscribed":{"channel":"vip:a","epoch":"`+epoch+`","presence":{},"expires_ms":60000}}`, `{"id":2,"subscribe":{}}`)
	l.say(`{"id":3,"history":{"channel":"vip:a"}}`, `{"id":4,"history":{"channel":"vip:b"}}`, `{"id":5,"publish":{"channel":"vip:a","data":1}}`)
	l.want(`{"id":3,"history":{"epoch":"` + epoch + `"}}`)
	for _, id := range []int{4, 5} {
		if m := l.next(); !strings.HasPrefix(m, fmt.Sprintf(`{"id":%d,"error":{"code":103,`, id)) {
			t.Fatalf("got %s", m)
		}
	}
	f.node.tick(f.clock.move(time.Minute + 20*time.Second))
	l.say(`{"id":6,"history":{"channel":"vip:a"}}`) // expired: it vouches for nothing, though the subscription has its grace
	if m := l.next(); !strings.HasPrefix(m, `{"id":6,"error":{"code":103,`) {
		t.Fatalf("got %s", m)
	}
	l.say(`{"id":7,"refresh":{"channel":"vip:b","token":"channel ann vip:b"}}`, `{"id":8,"refresh":{"channel":"vip:a","token":"channel ann vip:a"}}`)
	l.want(`{"id":7,"error":{"code":107,"name":"not_subscribed","message":"The command needs a subscription to the channel that this connection does not have."}}`,
		`{"id":8,"refresh":{"expires_ms":60000}}`)
	f.node.tick(f.clock.move(time.Minute + 25*time.Second))
	l.want(`{"unsubscribed":{"channel":"vip:a","code":302,"reason":"subscription_token_expired"}}`)
	f.publish("vip:a", 1, 1)
	l.quiet()
}

func TestARefreshThatAllowsLessEndsWhatIsNoLongerAllowed(t *testing.T) { // AUT-6
	f := newFixture(t, nil)
	l := f.bare()
	l.say(`{"id":1,"connect":{"token":"grant ann vip:*","subscribe":[{"channel":"vip:a"},{"channel":"vip:*"},{"channel":"chat:a"}]}}`)
	for range 4 {
		l.next()
	}
	l.say(`{"id":2,"refresh":{"token":"grant ann vip:b"}}`)
	l.want(`{"unsubscribed":{"channel":"vip:*","code":301,"reason":"permission_revoked"}}`,
		`{"unsubscribed":{"channel":"vip:a","code":301,"reason":"permission_revoked"}}`, `{"id":2,"refresh":{}}`)
	f.publish("vip:a", 1, 1)
	l.quiet()
	f.publish("chat:a", 1, 1)
	l.want(entries("chat:a", 1, 1)...)
}

func TestSubscribingAgain(t *testing.T) { // SUB-9
	f := newFixture(t, nil)
	f.publish("chat:a", 1, 3)
	l := f.connect("ann")
	l.say(`{"id":2,"subscribe":{"channels":[{"channel":"chat:a"}]}}`)
	l.want(`{"subscribed":{"channel":"chat:a","epoch":"`+epoch+`","offset":3,"top":3}}`, `{"id":2,"subscribe":{}}`)
	f.publish("chat:a", 4, 4)
	l.want(entries("chat:a", 4, 4)...)
	l.say(`{"id":3,"subscribe":{"channels":[{"channel":"chat:a","since":{"epoch":"` + epoch + `","offset":3},"presence":"count"}]}}`)
	l.want(`{"subscribed":{"channel":"chat:a","epoch":"` + epoch + `","offset":3,"top":4,"recovered":true,"presence":{}}}`)
	l.want(entries("chat:a", 4, 4)...)
	l.want(`{"id":3,"subscribe":{}}`)
	f.publish("chat:a", 5, 5)
	l.want(entries("chat:a", 5, 5)...)
	l.say(`{"id":4,"enter":{"channel":"chat:a"}}`) // the new options hold
	if got := l.next() + l.next(); !strings.Contains(got, `{"presence":{"channel":"chat:a","version":1,"count":1}}`) {
		t.Fatalf("got %s", got)
	}
	if n := f.node.Info().Subscriptions; n != 1 {
		t.Errorf("%d subscriptions", n)
	}
}

func TestPatterns(t *testing.T) { // SUB-10, NAM-4
	f := newFixture(t, func(c *Config) { c.Everywhere = realtime.Anyone })
	l := f.connect("ann")
	l.say(`{"id":2,"subscribe":{"channels":[{"channel":"chat:*"},{"channel":"*"},{"channel":"chat:a*"},{"channel":"chat:a"}]}}`)
	for range 5 {
		l.next()
	}
	f.publish("chat:a", 1, 1)
	got := []string{l.next(), l.next()}
	own, pattern := entries("chat:a", 1, 1)[0], `{"publication":{"channel":"chat:a","data":1,"time_ms":1790000000000,"pattern":true}}`
	if !(got[0] == own && got[1] == pattern) && !(got[1] == own && got[0] == pattern) {
		t.Fatalf("got %q", got)
	}
	f.publish("cursor:b", 1, 1)
	l.want(`{"publication":{"channel":"cursor:b","data":1,"time_ms":1790000000000,"pattern":true}}`)
	l.say(`{"id":3,"unsubscribe":{"channels":["*","chat:*","chat:a*","chat:a","never"]}}`) // UNS-1
	l.want(`{"id":3,"unsubscribe":{}}`)
	f.publish("chat:a", 2, 2)
	l.quiet()
}

func TestLimitsOfSubscriptions(t *testing.T) { // SUB-15, VC-18
	f := newFixture(t, func(c *Config) { c.Limits.SubscriptionsMax, c.Limits.ChannelsMax = 2, 3 })
	l := f.connect("")
	l.say(`{"id":2,"subscribe":{"channels":[{"channel":"chat:a"},{"channel":"chat:b"},{"channel":"chat:c"}]}}`)
	l.next()
	l.next()
	l.want(`{"subscribed":{"channel":"chat:c","error":{"code":109,"name":"limit_exceeded","message":"the connection has its 2 subscriptions"}}}`, `{"id":2,"subscribe":{}}`)
	l.say(`{"id":3,"subscribe":{"channels":[{"channel":"chat:a"}]}}`) // again is not more
	if m := l.next(); strings.Contains(m, "error") {
		t.Fatalf("got %s", m)
	}
	l.next()
	l.say(`{"id":4,"unsubscribe":{"channels":["chat:a","chat:a","chat:a","chat:a"]}}`)
	l.want(`{"id":4,"error":{"code":109,"name":"limit_exceeded","message":"channels names more than 3 channels; send them in several commands"}}`)
	l.say(`{"id":5,"unsubscribe":{"channels":["chat:a"]}}`, `{"id":6,"subscribe":{"channels":[{"channel":"chat:c"}]}}`)
	l.want(`{"id":5,"unsubscribe":{}}`)
	if m := l.next(); strings.Contains(m, "error") {
		t.Fatalf("got %s", m)
	}
}

func TestSubscribeUnsubscribeSubscribeWithoutWaiting(t *testing.T) { // MSG-4, UNS-1
	f := newFixture(t, nil)
	l := f.connect("")
	l.say(`{"id":2,"subscribe":{"channels":[{"channel":"chat:a"}]}}`, `{"id":3,"unsubscribe":{"channels":["chat:a"]}}`, `{"id":4,"subscribe":{"channels":[{"channel":"chat:a"}]}}`)
	l.want(`{"subscribed":{"channel":"chat:a","epoch":"`+epoch+`"}}`, `{"id":2,"subscribe":{}}`, `{"id":3,"unsubscribe":{}}`,
		`{"subscribed":{"channel":"chat:a","epoch":"`+epoch+`"}}`, `{"id":4,"subscribe":{}}`)
	f.publish("chat:a", 1, 1)
	l.want(entries("chat:a", 1, 1)...)
	l.quiet()
}

func TestASnapshotIsPartOfTheAnswer(t *testing.T) { // SUB-8, POS-7
	f := newFixture(t, nil)
	l := f.connect("ann")
	l.say(`{"id":2,"update":{"channel":"chat:a","op":"set","key":"k","value":1}}`)
	l.want(`{"id":2,"update":{"applied":true,"value":1,"version":1,"epoch":"` + epoch + `","offset":1}}`)
	l.say(`{"id":3,"subscribe":{"channels":[{"channel":"chat:a","state":true}]}}`)
	l.want(`{"subscribed":{"channel":"chat:a","epoch":"`+epoch+`","offset":1,"top":1,"state":{"epoch":"`+epoch+`","as_of":1,"entries":[{"key":"k","value":1,"version":1}]}}}`, `{"id":3,"subscribe":{}}`)
	l.say(`{"id":4,"update":{"channel":"chat:a","op":"remove","key":"k"}}`)
	if got := l.next() + l.next(); !strings.Contains(got, `"state":{"key":"k","removed":true}`) {
		t.Fatalf("got %s", got)
	}
	l.say(`{"id":5,"subscribe":{"channels":[{"channel":"chat:a","state":true,"since":{"epoch":"` + epoch + `","offset":2}}]}}`)
	l.want(`{"subscribed":{"channel":"chat:a","epoch":"`+epoch+`","offset":2,"top":2,"recovered":true}}`, `{"id":5,"subscribe":{}}`)
}

func TestTheServerEndsASubscription(t *testing.T) { // SRV-5, UNS-2
	f := newFixture(t, nil)
	l := f.connect("ann")
	l.say(`{"id":2,"subscribe":{"channels":[{"channel":"chat:a","enter":1}]}}`)
	l.next()
	l.next()
	count, err := f.node.Unsubscribe(t.Context(), Target{User: "ann"}, "chat:a")
	if count != 1 || err != nil {
		t.Fatalf("unsubscribed %d, %v", count, err)
	}
	l.want(`{"unsubscribed":{"channel":"chat:a","code":300,"reason":"unsubscribed"}}`)
	f.publish("chat:a", 1, 1)
	l.quiet()
	if count, _ := f.node.Unsubscribe(t.Context(), Target{User: "ann"}, "chat:a"); count != 0 {
		t.Errorf("a second time %d", count)
	}
	l.say(`{"id":3,"subscribe":{"channels":[{"channel":"chat:a","presence":"count"}]}}`) // waits until the channel has been left
	l.want(`{"subscribed":{"channel":"chat:a","epoch":"`+epoch+`","offset":1,"top":1,"presence":{"version":2}}}`, `{"id":3,"subscribe":{}}`)
}
