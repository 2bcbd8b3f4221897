package node

import (
	"context"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/realtime"
)

// try hands over a message as a carrier does, which takes its memory back at once.
func (l *line) try(message string) (rest func() error) {
	l.t.Helper()
	b := []byte(message)
	rest, err := l.connection.TryReceive(b, l.binary)
	if clear(b); err != nil {
		l.t.Fatal(err)
	}
	return rest
}

// A message that comes while the connection is at work waits, and is what it was when it came.
func TestAMessageThatHasToWaitIsWhatItWas(t *testing.T) { // MSG-4
	l := newFixture(t, nil).connect("")
	l.connection.work.Lock()
	rest := l.try(`{"id":2,"publish":{"channel":"chat:a","data":1}}`)
	l.connection.work.Unlock()
	if rest == nil {
		t.Fatal("it did not wait")
	}
	if err := rest(); err != nil {
		t.Fatal(err)
	}
	if got := l.next(); !strings.HasPrefix(got, `{"id":2,"publish":{`) {
		t.Error(got)
	}
}

// While the rest of a message is being carried out elsewhere, nothing that comes after it is.
func TestTheNextMessageWaitsForTheRestOfTheLast(t *testing.T) { // MSG-4
	f := newFixture(t, nil)
	called, release := make(chan struct{}), make(chan struct{})
	f.node.Handle("wait", func(context.Context, CallRequest) (realtime.Payload, error) {
		close(called)
		<-release
		return realtime.JSON([]byte("1")), nil
	})
	l := f.connect("ann")
	rest := l.try(`{"id":2,"call":{"method":"wait"}}`)
	done := make(chan error, 1)
	go func() { done <- rest() }()
	<-called
	next := l.try(`{"id":3,"call":{"method":"none"}}`)
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if next == nil {
		t.Fatal("it did not wait")
	}
	if err := next(); err != nil {
		t.Error(err)
	}
	l.want(`{"id":2,"call":{"data":1}}`, `{"id":3,"error":{"code":113,"name":"unknown_method","message":"No handler is registered for the called method."}}`)
}

// A carrier does not publish for a client while carriers are behind; who does it instead waits until they have caught up.
func TestAClientThatPublishesWaitsForCarriersThatAreBehind(t *testing.T) {
	f, l := withLate(t)
	client := f.connect("")
	caughtUp := make(chan struct{})
	l.behind.Store(&caughtUp)
	rest := client.try(`{"id":2,"publish":{"channel":"chat:b","data":1}}`)
	if rest == nil {
		t.Fatal("it is published by the carrier")
	}
	select {
	case <-l.asked: // before it paused
	default:
	}
	done := make(chan error, 1)
	go func() { done <- rest() }()
	select {
	case <-l.asked:
	case <-done:
		t.Error("nobody asked whether the carriers are behind")
	}
	l.behind.Store(nil)
	close(caughtUp)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
