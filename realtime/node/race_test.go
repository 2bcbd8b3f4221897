package node

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/bellwire/bellwire/protocol/native"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
)

var presenceCount = broker.PresenceQuery{CountOnly: true}

// contextWithoutKeeper stops the keeper, which otherwise runs as long as the node.
func contextWithoutKeeper(f *fixture) context.Context {
	f.node.keeper.stop()
	return f.t.Context()
}

// roamer is a client that keeps its position over lines that break at any moment.
type roamer struct {
	t        *testing.T
	f        *fixture
	random   *rand.Rand
	user     string
	epoch    string
	position uint64
	cuts     int
}

// roam reads until it has everything.
func (r *roamer) roam(last uint64) {
	for r.position < last {
		if !r.visit(last) {
			return
		}
	}
}

// visit opens a line, resumes and reads for a while.
func (r *roamer) visit(last uint64) bool {
	l := &line{t: r.t, lines: make(chan string), closed: make(chan struct{})} // unbuffered: the server waits for the reader
	c, err := r.f.node.Open(l, native.JSON, Hello{})
	if err != nil {
		r.t.Error(err)
		return false
	}
	l.connection = c
	var reading sync.WaitGroup
	reading.Go(func() { r.command(l) })
	reads := 1 + r.random.IntN(60)
	for range reads {
		if r.position >= last {
			break
		}
		if m, ok := l.read(); !ok || !r.take(m) {
			break
		}
	}
	l.Close(0, "cut")
	c.Closed(io.ErrUnexpectedEOF)
	reading.Wait()
	r.cuts++
	return !r.t.Failed()
}

func (l *line) read() (string, bool) {
	select {
	case m := <-l.lines:
		return m, true
	case <-l.closed:
		return "", false
	}
}

func (r *roamer) command(l *line) {
	since := ""
	if r.epoch != "" {
		since = fmt.Sprintf(`,"since":{"epoch":%q,"offset":%d}`, r.epoch, r.position)
	}
	connect := `{"id":1,"connect":{"token":"user ` + r.user + `"}}`
	subscribe := `{"id":2,"subscribe":{"channels":[{"channel":"big:a","enter":1` + since + `}]}}`
	_ = l.connection.Receive([]byte(connect+"\n"+subscribe), false)
}

// take checks one message: exactly once and in order (I1, I2, I3, I4).
func (r *roamer) take(text string) bool {
	var m struct {
		Subscribed *struct {
			Epoch       string
			Offset, Top uint64
			Recovered   *bool
			Missed      *realtime.Missed
			Error       *struct{ Message string }
		}
		Publication  *struct{ Offset uint64 }
		Unsubscribed *struct{ Code int }
		Disconnect   *struct{ Code int }
	}
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		r.t.Error(err)
		return false
	}
	switch {
	case m.Subscribed != nil && (m.Subscribed.Error != nil || m.Subscribed.Missed != nil):
		r.t.Errorf("%s holds %d: %s", r.user, r.position, text)
		return false
	case m.Subscribed != nil:
		if r.epoch != "" && m.Subscribed.Offset != r.position {
			r.t.Errorf("%s holds %d and resumes at %d", r.user, r.position, m.Subscribed.Offset)
			return false
		}
		r.epoch, r.position = m.Subscribed.Epoch, m.Subscribed.Offset
	case m.Publication != nil:
		if m.Publication.Offset != r.position+1 {
			r.t.Errorf("%s holds %d and gets %d", r.user, r.position, m.Publication.Offset)
			return false
		}
		r.position++
	case m.Unsubscribed != nil, m.Disconnect != nil:
		return false // slow: it comes again
	}
	return true
}

// TestExactlyOnceInOrderWhileLinesBreak runs publishers and subscribers that come and go at random moments; afterwards
// nothing of them is left (SUB-2, SUB-4, POS-5; I1 to I4, I14).
func TestExactlyOnceInOrderWhileLinesBreak(t *testing.T) {
	const publishers, each, roamers = 3, 150, 4
	f := newFixture(t, func(c *Config) {
		c.Limits.AdmissionRate, c.Limits.AdmissionBurst = 1e6, 1e6
		c.Limits.QueueMessagesMax, c.Limits.QueueBytesMax = 32, 8<<10
	})
	var work sync.WaitGroup
	readers := make([]*roamer, roamers)
	for i := range readers {
		readers[i] = &roamer{t: t, f: f, user: fmt.Sprint("u", i%2), epoch: epoch, random: rand.New(rand.NewPCG(uint64(i), 7))}
		work.Go(func() { readers[i].roam(publishers * each) })
	}
	f.publish("big:a", 1, 1)
	for i := range publishers {
		work.Go(func() {
			for n := range each {
				if i == 0 && n == 0 {
					continue // published before
				}
				draft := broker.Draft{Channel: "big:a", Payload: realtime.JSON([]byte(strings.Repeat("1", 1+n%50)))}
				if _, err := f.node.Publish(t.Context(), draft); err != nil {
					t.Error(err)
				}
			}
		})
	}
	work.Wait()
	cuts := 0
	for _, r := range readers {
		cuts += r.cuts
	}
	if cuts < roamers {
		t.Errorf("only %d lines broke", cuts)
	}
	f.wantEmpty()
}

// TestManyDoThingsAtOnce has no other oracle than the race detector, the leak check and emptiness afterwards.
func TestManyDoThingsAtOnce(t *testing.T) {
	f := newFixture(t, func(c *Config) {
		c.Limits.AdmissionRate, c.Limits.AdmissionBurst = 1e6, 1e6
		c.Limits.CommandRate, c.Limits.CommandBurst = 1e6, 1e6
		c.Limits.QueueMessagesMax = 16
	})
	commands := []string{
		`{"id":2,"subscribe":{"channels":[{"channel":"chat:a","presence":"members","enter":1,"state":true},{"channel":"chat:*"},{"channel":"feed:a"}]}}`,
		`{"publish":{"channel":"chat:a","data":1}}`, `{"publish":{"channel":"feed:a","data":1}}`, `{"publish":{"channel":"cursor:a","data":1}}`,
		`{"id":3,"update":{"channel":"chat:a","op":"increment","key":"k"}}`, `{"id":4,"unsubscribe":{"channels":["chat:a","chat:*"]}}`,
		`{"id":5,"enter":{"channel":"chat:a","data":2}}`, `{"id":6,"leave":{"channel":"chat:a"}}`, `{"id":7,"refresh":{"token":"user u"}}`,
		`{"id":8,"presence":{"channel":"chat:a"}}`, `{"id":9,"subscribe":{"channels":[{"channel":"feed:a","rewind":5}]}}`,
	}
	var work sync.WaitGroup
	for i := range 8 {
		work.Go(func() {
			random := rand.New(rand.NewPCG(uint64(i), 3))
			for range 12 {
				visitAtRandom(t, f, random, commands)
			}
		})
	}
	work.Go(func() {
		for range 50 {
			f.node.Info()
			_, _ = f.node.Unsubscribe(t.Context(), Target{User: "u"}, "chat:a")
			f.node.notify(windowMin)
		}
		_, _ = f.node.Disconnect(t.Context(), Target{User: "u"}, realtime.CodeReconnect, "")
	})
	work.Wait()
	f.wantEmpty()
	if n := f.node.Info().Counters.Panics; n != 0 {
		t.Errorf("%d panics: %s", n, f.log)
	}
}

func visitAtRandom(t *testing.T, f *fixture, random *rand.Rand, commands []string) {
	l := &line{t: t, lines: make(chan string), closed: make(chan struct{})}
	c, err := f.node.Open(l, native.JSON, Hello{})
	if err != nil {
		t.Error(err)
		return
	}
	var reading sync.WaitGroup
	reading.Go(func() {
		for ok := true; ok; _, ok = l.read() {
		}
	})
	_ = c.Receive([]byte(`{"id":1,"connect":{"token":"user u"}}`), false)
	for range random.IntN(20) {
		if c.Receive([]byte(commands[random.IntN(len(commands))]), false) != nil {
			break
		}
	}
	l.Close(0, "cut")
	c.Closed(nil)
	reading.Wait()
}
