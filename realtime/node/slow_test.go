package node

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/realtime"
)

// load is what waits for a client.
func (l *line) load() (bytes, messages int) {
	l.connection.mu.Lock()
	defer l.connection.mu.Unlock()
	return l.connection.core.QueueLoad()
}

func subscribed(f *fixture, channel string) *line {
	f.t.Helper()
	l := f.connect("")
	l.say(`{"subscribe":{"channels":[{"channel":"` + channel + `"}]}}`)
	l.next()
	return l
}

func smallQueue(c *Config) { c.Limits.QueueMessagesMax, c.Limits.QueueBytesMax = 8, 4<<10 }

func TestSlowDisconnect(t *testing.T) { // LIV-6, FL-01
	f := newFixture(t, smallQueue)
	l, fast := subscribed(f, "chat:a"), subscribed(f, "chat:a")
	resume := l.stall()
	f.publish("chat:a", 1, 200)
	if bytes, messages := l.load(); bytes > 8<<10 || messages > 20 {
		t.Errorf("%d bytes in %d messages wait for a client that never reads", bytes, messages)
	}
	resume()
	for got := ""; !strings.HasPrefix(got, `{"disconnect":`); got = l.next() {
	}
	l.wantClosed(realtime.CodeSlow)
	if f.node.Info().Counters.Dropped == 0 {
		t.Error("what was dropped is not counted")
	}
	last := "" // the other one has everything, if it read fast enough; otherwise it was ended like the first
	for !strings.Contains(last, `"offset":200`) && !strings.HasPrefix(last, `{"disconnect":`) {
		last = fast.next()
	}
}

func TestSlowDrop(t *testing.T) { // LIV-6, SRV-5
	f := newFixture(t, smallQueue)
	l := subscribed(f, "feed:a")
	resume := l.stall()
	f.publish("feed:a", 1, 20)
	resume()
	seen := 0
	for {
		got := l.next()
		if got == `{"unsubscribed":{"channel":"feed:a","code":351,"reason":"slow_subscription"}}` {
			break
		}
		if want := entries("feed:a", seen+1, seen+1)[0]; got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
		seen++
	}
	if seen > 8 {
		t.Fatalf("%d entries were queued", seen)
	}
	l.quiet()
	l.say(fmt.Sprintf(`{"subscribe":{"channels":[{"channel":"feed:a","since":{"epoch":%q,"offset":%d}}]}}`, epoch, max(seen, 10)))
	if got := l.next(); !strings.Contains(got, `"recovered":true`) {
		t.Fatalf("got %s", got)
	}
	l.want(entries("feed:a", max(seen, 10)+1, 20)...)
}

func TestSlowNewest(t *testing.T) { // LIV-6, POS-4
	f := newFixture(t, smallQueue)
	l := subscribed(f, "cursor:a")
	resume := l.stall()
	f.publish("cursor:a", 1, 500)
	if bytes, messages := l.load(); bytes > 8<<10 || messages > 20 {
		t.Errorf("%d bytes in %d messages", bytes, messages)
	}
	resume()
	for last := ""; !strings.Contains(last, `"data":500`); {
		last = l.next()
	}
	l.quiet()
}

// TestAReplayIsLargerThanTheQueue: a resume of many channels never has more than the queue's room, and gets everything.
func TestAReplayIsLargerThanTheQueue(t *testing.T) { // SUB-2, SUB-4, LIV-6
	f := newFixture(t, func(c *Config) { c.Limits.QueueMessagesMax, c.Limits.QueueBytesMax = 64, 16<<10 })
	wishes := []string{}
	for _, channel := range []string{"big:a", "big:b", "big:c"} {
		f.publish(channel, 1, 500)
		wishes = append(wishes, `{"channel":"`+channel+`","rewind":500}`)
	}
	l := f.bare()
	resume := l.stall()
	done := make(chan struct{})
	go func() { // waits for the client to read
		defer close(done)
		l.say(`{"id":1,"connect":{"subscribe":[` + strings.Join(wishes, ",") + `]}}`)
	}()
	f.publish("big:a", 501, 600) // while it is being replayed, or before, or after
	if bytes, messages := l.load(); bytes > 32<<10 || messages > 128 {
		t.Errorf("%d bytes in %d messages", bytes, messages)
	}
	resume()
	<-done
	l.next()
	offsets := map[string]uint64{}
	for offsets["big:a"] < 600 || offsets["big:b"] < 500 || offsets["big:c"] < 500 {
		got := l.next()
		var m struct {
			Subscribed, Publication *struct {
				Channel string
				Offset  uint64
			}
		}
		if err := json.Unmarshal([]byte(got), &m); err != nil {
			t.Fatal(err)
		}
		switch {
		case m.Subscribed != nil:
			offsets[m.Subscribed.Channel] = m.Subscribed.Offset
		case m.Publication == nil || m.Publication.Offset != offsets[m.Publication.Channel]+1:
			t.Fatalf("after %v comes %s", offsets, got)
		default:
			offsets[m.Publication.Channel]++
		}
	}
	l.quiet()
}

func TestRepliesWaitForAClientThatDoesNotRead(t *testing.T) { // LIV-6, MSG-4
	f := newFixture(t, func(c *Config) { c.Limits.QueueMessagesMax, c.Limits.QueueBytesMax = 16, 4<<10 })
	l := f.connect("")
	resume := l.stall()
	var commands []string
	for id := range 100 {
		commands = append(commands, fmt.Sprintf(`{"id":%d,"history":{"channel":"chat:a"}}`, id+2))
	}
	f.clock.move(10e9)
	done := make(chan struct{})
	go func() { defer close(done); l.say(commands...) }()
	f.publish("chat:a", 1, 100)
	if bytes, messages := l.load(); bytes > 8<<10 || messages > 12 {
		t.Errorf("%d bytes in %d messages", bytes, messages)
	}
	resume()
	<-done
	for id := range 98 { // the bucket had a hundred, connect took one
		if got := l.next(); !strings.HasPrefix(got, fmt.Sprintf(`{"id":%d,"history":`, id+2)) {
			t.Fatalf("got %s", got)
		}
	}
}

func TestALineThatGoesWhileACommandWaits(t *testing.T) { // PRE-2, UNS-2: nobody is left behind
	f := newFixture(t, func(c *Config) { c.Limits.QueueMessagesMax, c.Limits.QueueBytesMax = 16, 4<<10 })
	f.publish("big:a", 1, 500)
	l := f.connect("ann")
	l.stall()
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.say(`{"subscribe":{"channels":[{"channel":"chat:a","enter":1},{"channel":"big:a","rewind":500}]}}`)
	}()
	l.Close(0, "")
	l.connection.Closed(nil)
	<-done
	f.wantEmpty()
}

// wantEmpty waits until nothing of any connection is left (I14).
func (f *fixture) wantEmpty() {
	f.t.Helper()
	if err := f.node.group.Wait(contextWithoutKeeper(f)); err != nil {
		f.t.Fatal(err)
	}
	info := f.node.Info()
	if info.Connections != 0 || info.Users != 0 || info.Subscriptions != 0 {
		f.t.Errorf("left: %+v", info)
	}
	for name, ns := range namespaces() {
		if !ns.Presence {
			continue
		}
		page, err := f.node.Presence(f.t.Context(), name+":a", presenceCount)
		if err != nil || page.Count != 0 {
			f.t.Errorf("%s:a has %d members, %v", name, page.Count, err)
		}
	}
	if n := len(f.node.keeper.waiting); n != 0 {
		f.t.Errorf("the keeper waits for %d connections", n)
	}
}
