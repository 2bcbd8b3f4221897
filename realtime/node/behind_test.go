package node

import (
	"sync/atomic"
	"testing"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
	"github.com/bellwire/bellwire/realtime/hub"
)

// late is a carrier that can be behind.
type late struct {
	*loop
	behind  atomic.Pointer[chan struct{}]
	refuses atomic.Bool
	asked   chan struct{} // gets one when somebody has been told that it is behind
}

func (l *late) Behind() <-chan struct{} {
	c := l.behind.Load()
	if c == nil {
		return nil
	}
	select {
	case l.asked <- struct{}{}:
	default:
	}
	return *c
}

func (l *late) Carry(task *hub.Cohort, with any, bytes int) bool {
	return !l.refuses.Load() && l.loop.Carry(task, with, bytes)
}

type ignorant struct{}

func (ignorant) DeliverPublication(hub.Delivery) bool { return false }
func (ignorant) DeliverPresence(hub.PresenceDelivery) {}

// encoder is for subscribers that look at nothing.
type encoder struct{}

func (encoder) Name() string                                   { return "nothing" }
func (encoder) Framing() hub.Framing                           { return hub.FramingText }
func (encoder) EncodePublication(*realtime.Publication) []byte { return []byte("p") }
func (encoder) EncodePresence(*realtime.PresenceChange) []byte { return []byte("c") }

func withLate(t *testing.T) (*fixture, *late) {
	f := newFixture(t, nil)
	l := &late{loop: newLoop(), asked: make(chan struct{}, 1)}
	t.Cleanup(l.stop)
	_, err := f.node.hub.Join(ignorant{}, "chat:a", hub.Options{Encoder: encoder{}, Carrier: l})
	if err != nil {
		t.Fatal(err)
	}
	return f, l
}

// A publisher of the backend returns when the carriers have caught up; a client's next command waits likewise.
func TestPublishersWaitForCarriersThatAreBehind(t *testing.T) {
	f, l := withLate(t)
	client := f.connect("")
	caughtUp := make(chan struct{})
	l.behind.Store(&caughtUp)
	published := make(chan error, 1)
	go func() {
		_, err := f.node.Publish(t.Context(), broker.Draft{Channel: "chat:a", Payload: realtime.JSON([]byte("1"))})
		published <- err
	}()
	said := make(chan struct{})
	go func() {
		defer close(said)
		client.say(`{"id":2,"publish":{"channel":"chat:b","data":1}}`, `{"id":3,"ping":{}}`)
	}()
	client.next() // the publication is stored, and said to be
	select {
	case <-published:
		t.Error("the backend's publisher did not wait")
	case <-said:
		t.Error("the client's publisher did not wait")
	default:
	}
	l.behind.Store(nil)
	close(caughtUp)
	if err := <-published; err != nil {
		t.Error(err)
	}
	<-said
}

// What a carrier has no room for is counted.
func TestPublicationsThatACarrierRefusesAreCounted(t *testing.T) {
	f, l := withLate(t)
	l.refuses.Store(true)
	f.publish("chat:a", 1, 3)
	if got := f.node.Info().Counters.Dropped; got != 3 {
		t.Errorf("%d were counted, want 3", got)
	}
}
