package session_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/bellwire/bellwire/protocol/native"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
	"github.com/bellwire/bellwire/realtime/hub"
	"github.com/bellwire/bellwire/realtime/session"
)

var (
	start = time.UnixMilli(1_790_000_000_000)
	room  = &realtime.Namespace{Name: "room", History: true, Presence: true}
	drops = &realtime.Namespace{Name: "drops", History: true, Slow: realtime.SlowDrop}
)

// driver is a core with its tasks in the test's hands.
type driver struct {
	t    *testing.T
	core *session.Core
	now  time.Time
}

func newDriver(t *testing.T) *driver {
	config := &session.Config{
		Server: "s", Node: "n", SubscriptionsMax: 8, ChannelsMax: 8, CommandInterval: 20 * time.Millisecond, CommandBurst: 100,
		QueueBytesMax: 4 << 10, QueueMessagesMax: 16, ConnectTimeout: 10 * time.Second,
		Window: func() time.Duration { return time.Second }, Start: start,
	}
	return &driver{t: t, core: session.New(config, native.JSON, "c1", start), now: start}
}

// connected is a driver whose client has connected and read the answer.
func connected(t *testing.T) *driver {
	d := newDriver(t)
	d.connect()
	return d
}

func (d *driver) connect() {
	d.t.Helper()
	d.receive(&session.Connect{})
	task[*session.Admit](d)
	d.core.FinishAdmit(session.Admitted{User: "ann"}, nil, d.now)
	if d.core.Next(d.now) != nil || d.core.Busy() {
		d.t.Fatal("connect is not over")
	}
	d.drain()
}

func (d *driver) receive(command session.Command) {
	d.t.Helper()
	if d.core.Busy() {
		d.t.Fatal("the core is busy")
	}
	d.core.Receive(session.Request{ID: 7, Name: "x", Command: command}, d.now)
}

// task is the next one, which must be of a kind.
func task[T session.Task](d *driver) T {
	d.t.Helper()
	next := d.core.Next(d.now)
	want, ok := next.(T)
	if !ok {
		d.t.Fatalf("the next task is %T, want %T", next, want)
	}
	return want
}

func (d *driver) drain() (messages []string) {
	for d.core.HasOutgoing() {
		for _, m := range d.core.Outgoing(nil, 1<<10) {
			messages = append(messages, strings.TrimSuffix(string(m), "\n"))
		}
		d.core.Written()
	}
	return messages
}

func (d *driver) want(want ...string) {
	d.t.Helper()
	got := d.drain()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		d.t.Fatalf("the session says\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func entry(offset int) *realtime.Publication {
	return &realtime.Publication{
		Channel: "room:a", Epoch: "e", Offset: uint64(offset), Prev: uint64(offset - 1), Payload: realtime.JSON(fmt.Append(nil, offset)),
	}
}

func text(offset int) string {
	return fmt.Sprintf(`{"publication":{"channel":"room:a","offset":%d,"data":%d}}`, offset, offset)
}

func (d *driver) deliver(s *session.Subscription, ns *realtime.Namespace, offsets ...int) {
	for _, offset := range offsets {
		d.deliverTo(s, ns, offset, false)
	}
}

func (d *driver) deliverTo(s *session.Subscription, ns *realtime.Namespace, offset int, ready bool) (passed bool) {
	p := entry(offset)
	return d.core.DeliverPublication(s, hub.Delivery{Namespace: ns, Publication: p, Encoded: native.JSON.EncodePublication(p)}, ready)
}

func (d *driver) present(s *session.Subscription, version uint64) {
	change := &realtime.PresenceChange{Channel: "room:a", Version: version, Count: 1}
	d.core.DeliverPresence(s, hub.PresenceDelivery{Namespace: room, Change: change, Encoded: native.JSON.EncodePresence(change)})
}

func (d *driver) join(wish session.Wish) *session.Subscription {
	d.t.Helper()
	d.receive(&session.Subscribe{Wishes: []session.Wish{wish}})
	join := task[*session.Join](d)
	join.Subscription.Handle = d
	return join.Subscription
}

// live is a subscription at an offset whose answers have been read.
func (d *driver) live(offset uint64) *session.Subscription {
	d.t.Helper()
	s := d.join(session.Wish{Channel: "room:a"})
	d.core.FinishJoin(session.Joined{Resumption: at(offset, offset)}, nil, d.now)
	d.rest()
	d.drain()
	return s
}

func at(offset, top uint64, entries ...*realtime.Publication) broker.Resumption {
	return broker.Resumption{Position: realtime.Position{Epoch: "e", Offset: offset}, Top: top, Publications: entries, Recovered: true}
}

// rest makes sure that the command is over.
func (d *driver) rest() {
	d.t.Helper()
	if next := d.core.Next(d.now); next != nil || d.core.Busy() {
		d.t.Fatalf("the command is not over: %T", next)
	}
}

func TestWhatComesWhileJoiningIsHeldAndComesOnceInOrder(t *testing.T) { // SUB-2, SUB-4, SUB-7, SRV-3, POS-5
	d := connected(t)
	s := d.join(session.Wish{Channel: "room:a", Since: &realtime.Position{Epoch: "e", Offset: 1}})
	d.deliver(s, room, 3, 4) // 3 is in the answer too
	d.want()
	d.core.FinishJoin(session.Joined{Resumption: at(1, 3, entry(2), entry(3))}, nil, d.now)
	d.deliver(s, room, 5) // before the replay is queued
	d.rest()
	d.deliver(s, room, 5, 6)
	d.want(`{"subscribed":{"channel":"room:a","epoch":"e","offset":1,"top":3,"recovered":true}}`,
		text(2), text(3), text(4), text(5), `{"id":7,"subscribe":{}}`, text(6))
}

func TestWhatIsHeldIsBoundedAndReadAgain(t *testing.T) { // SUB-2, LIV-6
	d := connected(t)
	s := d.join(session.Wish{Channel: "room:a"})
	for offset := 1; offset <= 100; offset++ {
		d.deliver(s, room, offset)
	}
	d.core.FinishJoin(session.Joined{Resumption: at(0, 0)}, nil, d.now)
	resume := task[*session.Resume](d)
	if resume.Since.Offset != 0 {
		t.Fatalf("reads again from %v", resume.Since)
	}
	d.deliver(s, room, 101)
	var all []*realtime.Publication
	want := []string{`{"subscribed":{"channel":"room:a","epoch":"e"}}`}
	for offset := 1; offset <= 101; offset++ {
		all = append(all, entry(offset))
		want = append(want, text(offset))
	}
	d.core.FinishResume(at(0, 101, all...), nil)
	var got []string
	for d.core.Busy() {
		d.core.Next(d.now)
		if bytes, messages := d.core.QueueLoad(); bytes > 4<<10 || messages > 16 {
			t.Fatalf("%d bytes in %d messages are queued", bytes, messages)
		}
		got = append(got, d.drain()...)
	}
	want = append(want, `{"id":7,"subscribe":{}}`)
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Fatalf("got %d messages, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
}

func TestWhenTheLogHasGoneOnTheSubscriptionEnds(t *testing.T) { // SUB-2: never a silent gap
	for rule, err := range map[string]error{"not recovered": nil, "the backend fails": errors.New("down")} {
		t.Run(rule, func(t *testing.T) {
			d := connected(t)
			s := d.join(session.Wish{Channel: "room:a"})
			for offset := 1; offset <= 100; offset++ {
				d.deliver(s, room, offset)
			}
			d.core.FinishJoin(session.Joined{Resumption: at(0, 0)}, nil, d.now)
			task[*session.Resume](d)
			d.core.FinishResume(broker.Resumption{}, err)
			d.rest()
			d.want(`{"subscribed":{"channel":"room:a","epoch":"e"}}`,
				`{"unsubscribed":{"channel":"room:a","code":350,"reason":"the channel's log went on faster than the connection"}}`, `{"id":7,"subscribe":{}}`)
			d.wantChore(s)
		})
	}
}

func (d *driver) wantChore(s *session.Subscription) {
	d.t.Helper()
	if got, ok := d.core.NextChore(); !ok || got != s {
		d.t.Fatalf("the chore is %v", got)
	}
}

func TestAPublicationIsPassedOnlyWhenNothingIsBeforeIt(t *testing.T) { // POS-5, SRV-3
	d := connected(t)
	s := d.live(0)
	pass := func(offset int, ready, want bool) {
		t.Helper()
		if d.deliverTo(s, room, offset, ready) != want {
			t.Errorf("publication %d: passed is %t", offset, !want)
		}
	}
	pass(1, true, true)
	pass(1, true, false) // it has come
	pass(2, false, false)
	pass(3, true, false) // 2 is queued
	if batch := d.core.Outgoing(nil, 1<<10); len(batch) != 2 {
		t.Fatalf("%q is queued, want 2 and 3", batch)
	}
	pass(4, true, false) // 2 and 3 are being written
	d.core.Written()
	d.want(text(4))
	pass(5, true, true)
	d.want()
}

func TestAnEntryThatDoesNotFollowEndsTheSubscription(t *testing.T) { // POS-2, POS-5, SRV-5
	other := entry(6)
	other.Epoch = "f"
	for rule, p := range map[string]*realtime.Publication{"a gap": entry(7), "another epoch": other} {
		t.Run(rule, func(t *testing.T) {
			d := connected(t)
			s := d.live(5)
			d.core.DeliverPublication(s, hub.Delivery{Namespace: room, Publication: p, Encoded: native.JSON.EncodePublication(p)}, false)
			d.deliver(s, room, 8)
			d.want(`{"unsubscribed":{"channel":"room:a","code":350,"reason":"an entry of the channel did not come"}}`)
			d.wantChore(s)
		})
	}
}

func TestTheServerEndsASubscriptionThatIsJoining(t *testing.T) { // SUB-1, SRV-5
	d := connected(t)
	s := d.join(session.Wish{Channel: "room:a"})
	if !d.core.Unsubscribe("room:a", realtime.CodeUnsubscribed, "") {
		t.Fatal("there is no subscription")
	}
	d.want()
	d.core.FinishJoin(session.Joined{Resumption: at(0, 1, entry(1))}, nil, d.now)
	d.rest()
	d.want(`{"subscribed":{"channel":"room:a","epoch":"e","top":1}}`, `{"unsubscribed":{"channel":"room:a","code":300,"reason":"unsubscribed"}}`, `{"id":7,"subscribe":{}}`)
	d.wantChore(s)
}

func TestASubscriptionThatEndsWhileItEntersLeavesNoMember(t *testing.T) { // PRE-2
	d := connected(t)
	s := d.live(0)
	d.receive(&session.Enter{Channel: "room:a"})
	task[*session.Do](d)
	d.core.Unsubscribe("room:a", realtime.CodeUnsubscribed, "")
	if _, ok := d.core.NextChore(); ok {
		t.Fatal("it is left before it is known whether it entered")
	}
	d.core.FinishDo(&session.Done{Command: session.DoneEnter}, nil, d.now)
	if !s.Entered() {
		t.Fatal("the driver is not told to leave")
	}
	d.wantChore(s)
}

func TestSubscribingToAChannelThatIsBeingLeftWaits(t *testing.T) { // MSG-4, CLI-10
	d := connected(t)
	s := d.live(0)
	d.core.Unsubscribe("room:a", realtime.CodeUnsubscribed, "")
	d.drain()
	d.wantChore(s)
	d.receive(&session.Subscribe{Wishes: []session.Wish{{Channel: "room:a"}}})
	if next := d.core.Next(d.now); next != nil || !d.core.Busy() {
		t.Fatalf("does not wait: %T", next)
	}
	d.core.FinishChore(s)
	if again := task[*session.Join](d); again.Again || again.Subscription == s {
		t.Error("the old subscription lives on")
	}
}

func TestPresenceWhileJoining(t *testing.T) { // PRE-4, SRV-3, SRV-4
	d := connected(t)
	s := d.join(session.Wish{Channel: "room:a", Presence: hub.PresenceCount})
	d.present(s, 4)
	d.present(s, 6)
	d.core.FinishJoin(session.Joined{Resumption: at(0, 0), Presence: &broker.PresencePage{Version: 5, Count: 1}}, nil, d.now)
	d.rest()
	d.present(s, 6)
	d.present(s, 7)
	d.want(`{"subscribed":{"channel":"room:a","epoch":"e","presence":{"version":5,"count":1}}}`,
		`{"presence":{"channel":"room:a","version":6,"count":1}}`, `{"id":7,"subscribe":{}}`, `{"presence":{"channel":"room:a","version":7,"count":1}}`)
}

func TestAFailedSubscribeAgainEndsWhatThereWas(t *testing.T) { // SUB-9, SRV-1
	d := connected(t)
	s := d.live(0)
	d.receive(&session.Subscribe{Wishes: []session.Wish{{Channel: "room:a"}}})
	if again := task[*session.Join](d); !again.Again || again.Subscription != s {
		t.Fatal("it is not the same subscription")
	}
	d.deliver(s, room, 1)
	d.core.FinishJoin(session.Joined{}, realtime.NewError(realtime.CodePermissionDenied, "no"), d.now)
	d.rest()
	d.deliver(s, room, 2)
	d.want(`{"subscribed":{"channel":"room:a","error":{"code":103,"name":"permission_denied","message":"no"}}}`, `{"id":7,"subscribe":{}}`)
	d.wantChore(s)
}

func TestAFullQueueThatDropsFreesWhatItHeldOfTheChannel(t *testing.T) { // LIV-6
	d := connected(t)
	s := d.live(0)
	for offset := 1; offset <= 40; offset++ {
		d.deliver(s, drops, offset)
	}
	d.want(`{"unsubscribed":{"channel":"room:a","code":351,"reason":"slow_subscription"}}`)
	if n := d.core.Dropped(); n != 17 {
		t.Errorf("%d dropped, want 16 queued and the one that did not fit", n)
	}
}

// Who cannot subscribe again is told to come again, and keeps nothing of what could no longer be sent in order.
func TestAListenerComesAgainWhenASubscriptionEndsForNow(t *testing.T) { // EVT-6
	for _, row := range []struct {
		code realtime.Code
		want []string
	}{
		{realtime.CodeInsufficient, []string{
			`{"unsubscribed":{"channel":"room:a","code":350,"reason":"insufficient"}}`,
			`{"disconnect":{"code":4506,"reason":"insufficient","reconnect":{"window_ms":1000}}}`,
		}},
		{realtime.CodeUnsubscribed, []string{`{"unsubscribed":{"channel":"room:a","code":300,"reason":"unsubscribed"}}`}},
	} {
		d := newDriver(t)
		d.core.ListenOnly()
		d.connect()
		d.live(0)
		if !d.core.Unsubscribe("room:a", row.code, "") {
			t.Fatal("not subscribed")
		}
		d.want(row.want...)
		if d.core.IsEnded() != row.code.Retry() {
			t.Errorf("after %s: ended %t", row.code.Name(), d.core.IsEnded())
		}
	}
}

func TestASlowConnectionIsTold(t *testing.T) { // LIV-6, SRV-7
	d := connected(t)
	s := d.live(0)
	batch := d.core.Outgoing(nil, 1)
	for offset := 1; offset <= 40; offset++ {
		d.deliver(s, room, offset)
	}
	if len(batch) != 0 {
		t.Fatal("something was queued before")
	}
	d.want(`{"disconnect":{"code":4502,"reason":"slow","reconnect":{"window_ms":1000}}}`)
	if code, reason, ok := d.core.Ended(); !ok || code != realtime.CodeSlow || reason != "slow" {
		t.Errorf("ended with %d %q %t", code, reason, ok)
	}
}

func TestEverythingQueuedIsSentBeforeTheEnd(t *testing.T) { // SRV-7, LIV-5
	d := connected(t)
	s := d.live(0)
	d.deliver(s, room, 1)
	d.core.End(realtime.CodeRestart, "")
	d.core.End(realtime.CodeExpired, "") // a second end does nothing
	if _, _, ok := d.core.Ended(); ok {
		t.Error("the line is to be closed before everything was written")
	}
	d.deliver(s, room, 2)
	d.want(text(1), `{"disconnect":{"code":4500,"reason":"restart","reconnect":{"window_ms":1000}}}`)
	if code, _, ok := d.core.Ended(); !ok || code != realtime.CodeRestart {
		t.Errorf("ended with %d %t", code, ok)
	}
}

func TestDeadlines(t *testing.T) { // CON-5, REF-2
	d := newDriver(t)
	want := func(after time.Duration) {
		t.Helper()
		deadline, ok := d.core.Deadline()
		if after == 0 && ok || after != 0 && !deadline.Equal(start.Add(after)) {
			t.Fatalf("the deadline is %v after the start (%t), want %v", deadline.Sub(start), ok, after)
		}
	}
	want(10 * time.Second)
	d.receive(&session.Connect{})
	task[*session.Admit](d)
	d.core.FinishAdmit(session.Admitted{User: "ann", Expires: time.Hour}, nil, d.now)
	d.rest()
	want(time.Hour + 25*time.Second)
	d.join(session.Wish{Channel: "room:a"})
	d.core.FinishJoin(session.Joined{Expires: time.Minute}, nil, d.now)
	d.rest()
	want(85 * time.Second)
	d.core.Tick(start.Add(85*time.Second - 1))
	want(85 * time.Second)
	d.core.Tick(start.Add(85 * time.Second))
	want(time.Hour + 25*time.Second)
	d.core.Tick(start.Add(2 * time.Hour))
	want(0)
}

func TestNothingIsDoneForALineThatIsGone(t *testing.T) {
	d := connected(t)
	s := d.live(0)
	d.receive(&session.Publish{Channel: "room:a"})
	task[*session.Do](d)
	d.core.Abandon()
	d.core.FinishDo(&session.Published{}, nil, d.now)
	d.deliver(s, room, 1)
	d.present(s, 1)
	if d.core.Busy() || d.core.HasOutgoing() || d.core.Next(d.now) != nil {
		t.Error("it goes on")
	}
	count := 0
	d.core.Subscriptions(func(*session.Subscription) { count++ })
	if count != 1 {
		t.Errorf("%d subscriptions to leave, want 1", count)
	}
}

func TestAnIdleSessionIsSmall(t *testing.T) { // the budget of 2 kB has to hold the connection and the hub's part too
	if size := unsafe.Sizeof(session.Core{}) + unsafe.Sizeof(session.Subscription{}); size > 768 {
		t.Errorf("core and subscription have %d bytes", size)
	} else {
		t.Logf("core %d, subscription %d bytes", unsafe.Sizeof(session.Core{}), unsafe.Sizeof(session.Subscription{}))
	}
}
