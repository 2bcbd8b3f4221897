package backendtest

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/seed"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
)

const (
	racers       = 8
	racerRepeats = 300
)

// race runs racers of one function at the same time and waits for them.
func race(count int, run func(i int)) {
	var all sync.WaitGroup
	for i := range count {
		all.Go(func() { run(i) })
	}
	all.Wait()
}

func testRaces(t *testing.T, open Open) {
	t.Run("POS-5 many publishers: everybody sees one order, and it is what is held", testPublisherRace(open))
	t.Run("SUB-2 subscribers that resume at random moments get everything once, in order", func(t *testing.T) {
		f := newFixture(t, open, func(ns *realtime.Namespace) { ns.HistoryEntriesMax = racers * racerRepeats })
		if missed := testSubscriberRace(f, false); missed != 0 {
			t.Errorf("%d missed of a log that holds everything", missed)
		}
	})
	t.Run("SUB-5 with a short log they are told exactly what they missed", func(t *testing.T) {
		f := newFixture(t, open, func(ns *realtime.Namespace) { ns.HistoryEntriesMax = 20 })
		t.Logf("%d missed", testSubscriberRace(f, true))
	})
	t.Run("POS-6 of 100 with one id at once one is stored (AP-11)", testIDRace(open))
	t.Run("STA-2 increments at once lose nothing", func(t *testing.T) {
		f := newFixture(t, open)
		race(racers, func(int) {
			for range racerRepeats {
				f.updateLate(broker.Update{Op: broker.OpIncrement, Key: "n", By: 1})
			}
		})
		entry := f.state(broker.StateQuery{Key: "n"}).Entries[0]
		if string(entry.Value.Bytes) != strconv.Itoa(racers*racerRepeats) || entry.Version != racers*racerRepeats {
			t.Errorf("entry %s version %d", entry.Value.Bytes, entry.Version)
		}
	})
	t.Run("STA-2 of many set_if of one version one is applied", testSetIfRace(open))
	t.Run("STA-2 set_greater ends with the greatest", func(t *testing.T) {
		f := newFixture(t, open)
		race(racers, func(i int) {
			for j := range racerRepeats {
				f.updateLate(broker.Update{Op: broker.OpSetGreater, Key: "n", Value: text(strconv.Itoa(j*racers + i))})
			}
		})
		if got := string(f.state(broker.StateQuery{Key: "n"}).Entries[0].Value.Bytes); got != strconv.Itoa(racers*racerRepeats-1) {
			t.Errorf("value %s", got)
		}
	})
	t.Run("PRE-4 many that enter and leave: the changes and the page agree", testPresenceRace(open))
	t.Run("POS-5 channels at once keep their orders", func(t *testing.T) {
		f := newFixture(t, open, func(ns *realtime.Namespace) { ns.HistoryEntriesMax = racerRepeats })
		race(racers, func(i int) {
			for j := range racerRepeats {
				channel := fmt.Sprint("room:", i)
				published, err := f.backend.Publish(background, f.ns, broker.Draft{Channel: channel, Payload: text(strconv.Itoa(j + 1))})
				if err != nil || published.Position.Offset != uint64(j+1) {
					t.Errorf("%s: %+v, %v", channel, published, err)
				}
			}
		})
		for i := range racers {
			f.wantOffsets("delivered", f.sink.Publications(fmt.Sprint("room:", i)), span(1, racerRepeats)...)
		}
	})
}

// updateLate may be called from any goroutine.
func (f *fixture) updateLate(u broker.Update) broker.Updated {
	updated, err := f.tryUpdate(u)
	if err != nil {
		f.Errorf("update: %v", err)
	}
	return updated
}

func testPublisherRace(open Open) func(t *testing.T) {
	return func(t *testing.T) {
		f := newFixture(t, open, func(ns *realtime.Namespace) { ns.HistoryEntriesMax = racers * racerRepeats })
		positions := make([][]uint64, racers)
		race(racers, func(i int) {
			for j := range racerRepeats {
				published, err := f.backend.Publish(background, f.ns, broker.Draft{Channel: room, Payload: text(fmt.Sprintf("[%d,%d]", i, j))})
				if err != nil {
					t.Error(err)
				}
				positions[i] = append(positions[i], published.Position.Offset)
			}
		})
		delivered := f.sink.Publications(room)
		f.wantOffsets("delivered", delivered, span(1, racers*racerRepeats)...)
		for i := range positions {
			for j, offset := range positions[i] {
				if got, want := string(delivered[offset-1].Payload.Bytes), fmt.Sprintf("[%d,%d]", i, j); got != want {
					t.Errorf("offset %d is %s, its publisher was told so for %s", offset, got, want)
				}
			}
		}
		held := f.resume(since(f.epoch(), 0)).Publications
		for i := range held {
			wantSame(t, held[i], delivered[i])
		}
	}
}

// testSubscriberRace lets publishers and subscribers that come and go run at once, and returns how many entries the
// subscribers missed. When aging, time passes meanwhile, so that entries expire.
func testSubscriberRace(f *fixture, aging bool) (missed uint64) {
	random := seed.Rand(f.T)
	epoch := f.epoch()
	defer f.sink.Leave(room, f.sink.Join(room)) // the channel is in use all the time
	published := make(chan struct{})
	subscribers := make([]*wanderer, racers/2)
	var all sync.WaitGroup
	for i := range subscribers {
		subscribers[i] = &wanderer{f: f, random: rand.New(rand.NewPCG(random.Uint64(), 0)), position: at(epoch, 0)}
		all.Go(func() { subscribers[i].run(published) })
	}
	race(racers, func(i int) {
		for range racerRepeats {
			if _, err := f.backend.Publish(background, f.ns, broker.Draft{Channel: room, Payload: text("0")}); err != nil {
				f.Error(err)
			}
			if aging && i == 0 {
				f.control.Advance(time.Second)
			}
		}
	})
	close(published)
	all.Wait()
	for _, s := range subscribers {
		if s.position.Offset != racers*racerRepeats {
			f.Errorf("a subscriber ended at %d, want %d", s.position.Offset, racers*racerRepeats)
		}
		missed += s.missed
	}
	return missed
}

// wanderer is a subscriber that subscribes, listens for a while and goes, again and again.
type wanderer struct {
	f        *fixture
	random   *rand.Rand
	position realtime.Position
	missed   uint64
}

func (w *wanderer) run(published <-chan struct{}) {
	for {
		last := false
		select {
		case <-published:
			last = true
		default:
		}
		stream := w.f.sink.Join(room) // join first, then read, then merge
		w.resume()
		if !last {
			w.listen(stream, published)
		}
		w.f.sink.Leave(room, stream)
		if last {
			return
		}
		for range w.random.IntN(4) {
			runtime.Gosched()
		}
	}
}

func (w *wanderer) resume() {
	r, err := w.f.backend.Resume(background, w.f.ns, room, broker.ResumeQuery{Since: &w.position})
	if err != nil {
		w.f.Errorf("resume: %v", err)
		return
	}
	if !r.Recovered {
		if r.Missed == nil || r.Missed.From != w.position.Offset+1 || r.Missed.To != r.Position.Offset || r.Position.Epoch != w.position.Epoch {
			w.f.Errorf("at %v: resumption %+v, missed %v", w.position, r, r.Missed)
			return
		}
		w.missed += r.Missed.To - r.Missed.From + 1
	}
	if r.Recovered && r.Position != w.position {
		w.f.Errorf("at %v: recovered at %v", w.position, r.Position)
	}
	w.position = r.Position
	for _, p := range r.Publications {
		w.receive(p)
	}
	if w.position.Offset != r.Top {
		w.f.Errorf("at %d after the replay, top is %d", w.position.Offset, r.Top)
	}
}

func (w *wanderer) listen(stream *Stream, published <-chan struct{}) {
	for range w.random.IntN(5) {
		for _, p := range stream.Take(published) {
			if p.Offset > w.position.Offset { // others were replayed
				w.receive(p)
			}
		}
	}
}

func (w *wanderer) receive(p *realtime.Publication) {
	if p.Offset != w.position.Offset+1 || p.Prev != w.position.Offset || p.Epoch != w.position.Epoch {
		w.f.Errorf("received %s/%d after %d, its prev is %d", p.Epoch, p.Offset, w.position.Offset, p.Prev)
	}
	w.position.Offset = p.Offset
}

func testIDRace(open Open) func(t *testing.T) {
	return func(t *testing.T) {
		f := newFixture(t, open)
		const count = 100
		published := make([]broker.Published, count)
		updated := make([]broker.Updated, count)
		race(count, func(i int) {
			var err error
			published[i], err = f.backend.Publish(background, f.ns, broker.Draft{Channel: room, ID: "p", Payload: text("0")})
			if err != nil {
				t.Error(err)
			}
			updated[i] = f.updateLate(broker.Update{ID: "u", Op: broker.OpIncrement, Key: "n", By: 1})
		})
		firsts := 0
		for i := range count {
			if !published[i].Duplicate {
				firsts++
			}
			if !updated[i].Duplicate {
				firsts++
			}
			if published[i].Position != published[0].Position || updated[i].Position != updated[0].Position || string(updated[i].Value.Bytes) != "1" {
				t.Errorf("%d: %+v %+v", i, published[i], updated[i])
			}
		}
		if firsts != 2 {
			t.Errorf("%d are no duplicates, want 2", firsts)
		}
		f.wantOffsets("delivered", f.sink.Publications(room), 1, 2)
	}
}

func testSetIfRace(open Open) func(t *testing.T) {
	return func(t *testing.T) {
		f := newFixture(t, open)
		for round := range 50 {
			version := uint64(round)
			applied := make([]bool, racers)
			race(racers, func(i int) {
				applied[i] = f.updateLate(broker.Update{Op: broker.OpSetIf, Key: "k", Version: version, Value: text(strconv.Itoa(i))}).Applied
			})
			winner, winners := -1, 0
			for i := range applied {
				if applied[i] {
					winner, winners = i, winners+1
				}
			}
			entry := f.state(broker.StateQuery{Key: "k"}).Entries[0]
			if winners != 1 || string(entry.Value.Bytes) != strconv.Itoa(winner) || entry.Version != version+1 {
				t.Fatalf("round %d: %d winners, entry %s version %d", round, winners, entry.Value.Bytes, entry.Version)
			}
		}
	}
}

func testPresenceRace(open Open) func(t *testing.T) {
	return func(t *testing.T) {
		f := newFixture(t, open)
		seed := seed.Rand(t).Uint64()
		race(racers, func(i int) {
			random := rand.New(rand.NewPCG(seed, uint64(i)))
			for range racerRepeats {
				user, connection := fmt.Sprint("u", random.IntN(10)), fmt.Sprint("c", i)
				var err error
				if random.IntN(2) == 0 {
					err = f.backend.Enter(background, f.ns, room, broker.Entrant{User: user, Connection: connection})
				} else {
					err = f.backend.Leave(background, f.ns, room, user, connection)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
		members := make(map[string]realtime.Member)
		version := uint64(0)
		for _, change := range f.sink.Presence(room) {
			if change.Version <= version {
				t.Fatalf("version %d after %d", change.Version, version)
			}
			version = change.Version
			for _, m := range change.Set {
				members[m.User] = m
			}
			for _, user := range change.Left {
				delete(members, user)
			}
			if change.Count != len(members) {
				t.Fatalf("version %d: count %d, members %d", version, change.Count, len(members))
			}
		}
		page := f.presence(broker.PresenceQuery{})
		if page.Count != len(members) {
			t.Errorf("count %d, want %d", page.Count, len(members))
		}
		for _, m := range page.Members {
			if got, want := describe([]realtime.Member{m}), describe([]realtime.Member{members[m.User]}); got != want {
				t.Errorf("page %s, changes %s", got, want)
			}
		}
	}
}
