package blackbox

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/bellwire/bellwire/server/config"
)

// VC-26, G9: lines that come, subscribe, are seen and vanish without a word leave nothing behind.
func TestG9ChurnLeavesNothing(t *testing.T) {
	x := start(t, nil)
	const workers, rounds = 8, 100
	var group sync.WaitGroup
	for worker := range workers {
		group.Go(func() {
			for round := range rounds {
				l := x.open("bellwire.v1.json")
				l.say(`{"id":1,"connect":{"subscribe":[{"channel":"chat:a","presence":"members","enter":1},{"channel":"chat:*"}]}}` + "\n" +
					`{"id":2,"unsubscribe":{"channels":["chat:*"]}}` + "\n" + `{"id":3,"subscribe":{"channels":[{"channel":"chat:b"}]}}`)
				if (worker+round)%3 != 0 { // a third does not wait for anything
					l.next()
				}
				if tcp, ok := l.conn.(*net.TCPConn); ok && round%2 == 0 {
					_ = tcp.SetLinger(0) // a reset
				}
				l.conn.Close()
			}
		})
	}
	group.Wait()
	for _, gone := range []string{"bellwire_connections 0", "bellwire_users 0", "bellwire_subscriptions 0", "bellwire_channels 0"} {
		x.until(gone)
	}
	l := x.connected()
	l.say(`{"id":2,"presence":{"channel":"chat:a"}}`)
	for m := l.next(); ; m = l.next() {
		var reply struct{ Presence struct{ Count int } }
		if err := json.Unmarshal([]byte(m), &reply); err != nil {
			t.Fatal(err)
		}
		if reply.Presence.Count == 0 {
			break
		}
		l.say(`{"id":2,"presence":{"channel":"chat:a"}}`) // members leave just after their lines
	}
	x.honest()
}

// PUB-1, POS-5, SUB-4: while lines are cut at random, everything acknowledged is there, once, in order, for who reads on.
func TestPUB1NothingAcknowledgedIsLost(t *testing.T) {
	x := start(t, nil)
	const publishers, each = 4, 100
	var group sync.WaitGroup
	var mu sync.Mutex
	acknowledged := map[uint64]string{} // by offset
	for publisher := range publishers {
		group.Go(func() {
			random := rand.New(rand.NewPCG(7, uint64(publisher)))
			l := x.connected()
			for i := 0; i < each; {
				id := fmt.Sprintf("p%d-%d", publisher, i)
				l.say(fmt.Sprintf(`{"id":9,"publish":{"channel":"chat:a","data":%q,"id":%q}}`, id, id))
				if random.IntN(3) == 0 { // cut before the answer, and send the same again (POS-6)
					l.conn.Close()
					l = x.connected()
					continue
				}
				var reply struct{ Publish struct{ Offset uint64 } }
				if m := l.next(); errorOf(m) == 152 || json.Unmarshal([]byte(m), &reply) != nil || reply.Publish.Offset == 0 {
					l.conn.Close()
					l = x.connected()
					continue
				}
				mu.Lock()
				if other, twice := acknowledged[reply.Publish.Offset]; twice {
					t.Errorf("offset %d was given to %s and %s", reply.Publish.Offset, other, id)
				}
				acknowledged[reply.Publish.Offset] = id
				mu.Unlock()
				i++
			}
			l.conn.Close()
		})
	}
	group.Wait()
	reader := x.connected()
	reader.say(fmt.Sprintf(`{"subscribe":{"channels":[{"channel":"chat:a","rewind":%d}]}}`, 1000))
	reader.next()
	for offset := uint64(1); offset <= publishers*each; offset++ {
		var m struct {
			Publication struct {
				Offset uint64
				Data   string
			}
		}
		if err := json.Unmarshal([]byte(reader.next()), &m); err != nil {
			t.Fatal(err)
		}
		if m.Publication.Offset != offset || acknowledged[offset] != m.Publication.Data {
			t.Fatalf("offset %d: got %+v, acknowledged was %q", offset, m.Publication, acknowledged[offset])
		}
	}
}

// CON-7, AP-17: errors without end, and commands without end, end the line as flooding; nobody else notices.
func TestCON7FloodsEndTheLine(t *testing.T) {
	x := start(t, nil)
	for name, message := range map[string]string{
		"errors":          `{"id":1,"publish":{}}`,
		"unknown":         `{"id":1,"nothing":{}}`,
		"second connect":  `{"id":1,"connect":{}}`,
		"foreign pattern": `{"id":1,"publish":{"channel":"*","data":1}}`,
		"pings":           `{"id":1,"ping":{}}`,
	} {
		t.Run(name, func(t *testing.T) {
			l := x.connected()
			l.say(strings.Repeat(message+"\n", 1200))
			if code := l.code(); code != 4429 {
				t.Errorf("ended with %d", code)
			}
		})
	}
	x.honest()
}

// MSG-9, AP-02: depth in a command and in a payload is bounded where the protocol says, however it is nested.
func TestMSG9DepthIsBounded(t *testing.T) {
	x := start(t, nil)
	l := x.connected()
	for depth, want := range map[int]int{30: 0, 31: 100, 5_000: 100} {
		for _, pair := range []string{"[]", "{}"} {
			open, shut := pair[:1], pair[1:]
			value := strings.Repeat(open, depth) + strings.Repeat(shut, depth)
			if pair == "{}" {
				value = strings.Repeat(`{"a":`, depth-1) + "{}" + strings.Repeat("}", depth-1)
			}
			l.say(`{"id":2,"publish":{"channel":"chat:a","data":` + value + `}}`)
			if m := l.next(); errorOf(m) != want {
				t.Errorf("%d deep: %.200s", depth, m)
			}
		}
	}
	x.honest()
}

// HS-03: thousands of handshakes that never end are cut at the door, and who is inside does not notice.
func TestHS03HalfOpenHandshakes(t *testing.T) {
	x := start(t, func(c *config.Config) { c.Limits.UnauthenticatedPerIP = 50 })
	inside := x.connected()
	for range 500 {
		conn, err := net.Dial("tcp", x.address)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write([]byte("GET /ws HTTP/1.1\r\nHost: "))
		defer conn.Close()
	}
	inside.say(`{"id":2,"ping":{}}`)
	if m := inside.next(); !strings.HasPrefix(m, `{"id":2,"ping"`) {
		t.Errorf("who was inside got %q", m)
	}
}

// VC-38: what a peer says reaches the log escaped, so that nobody writes lines of his own into it.
func TestVC38TheLogHasNoForeignLines(t *testing.T) {
	x := start(t, nil)
	l := x.open("bellwire.v1.json")
	l.say(`{"id":1,"connect":{"token":"a\nlevel=ERROR msg=forged\u001b[2J.b.c"}}`)
	if code := l.code(); code != 4401 {
		t.Errorf("ended with %d", code)
	}
	if text := x.log.String(); strings.Contains(text, "\x1b") || strings.Contains(text, "\nlevel=ERROR") {
		t.Errorf("the log says %q", text)
	}
}
