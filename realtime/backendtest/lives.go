package backendtest

import (
	"testing"
	"time"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
)

// testLives holds what must be true when a backend has begun anew, or has forgotten a channel: nobody is told that he
// has everything when he has not, and nobody who has everything loses it.
func testLives(t *testing.T, open Open) {
	t.Run("SUB-6 after a restart positions are honest", func(t *testing.T) {
		f := newFixture(t, open)
		f.publishMany(1, 5)
		f.set("k", "1")
		epoch := f.epoch()
		f.backend = f.control.Restart(t)
		f.wantHonest(since(epoch, 2), 6)
		f.publishMany(7, 9)
		f.wantHonest(since(epoch, 2), 9)
		f.wantHonest(since(epoch, 6), 9)
		f.wantHonest(since(epoch, 0), 9)
	})
	t.Run("SUB-6 two restarts are two lives", func(t *testing.T) {
		f := newFixture(t, open)
		f.publishMany(1, 3)
		first := f.epoch()
		f.backend = f.control.Restart(t)
		f.publishMany(4, 6)
		second := f.epoch()
		f.backend = f.control.Restart(t)
		f.publishMany(7, 9)
		f.wantHonest(since(first, 3), 9)
		f.wantHonest(since(second, 3), 9)
	})
	t.Run("SUB-6 after a long time without anybody positions are honest", func(t *testing.T) {
		f := newFixture(t, open)
		f.publishMany(1, 5)
		epoch := f.epoch()
		f.control.Advance(24 * time.Hour)
		f.wantHonest(since(epoch, 2), 5)
		f.control.Advance(24 * time.Hour)
		f.publishMany(6, 13)
		f.wantHonest(since(epoch, 2), 13)
		f.wantHonest(since(epoch, 5), 13)
		f.wantHonest(since(epoch, 7), 13)
	})
	t.Run("SUB-2 a subscriber that stays for a day misses nothing", func(t *testing.T) {
		f := newFixture(t, open)
		defer f.sink.Leave(room, f.sink.Join(room))
		epoch := f.epoch()
		f.control.Advance(24 * time.Hour)
		first := f.publish("1").Position
		f.control.Advance(24 * time.Hour)
		second := f.publish("2").Position
		if first != at(epoch, 1) || second != at(epoch, 2) {
			t.Errorf("positions %v and %v, want %s/1 and %s/2", first, second, epoch, epoch)
		}
	})
	t.Run("SUB-4 a line lost for a moment after a quiet day is recovered", func(t *testing.T) {
		f := newFixture(t, open)
		stream := f.sink.Join(room)
		f.publish("1")
		epoch := f.epoch()
		f.control.Advance(24 * time.Hour)
		f.sink.Leave(room, stream)
		f.control.Advance(50 * time.Second)
		r := f.resume(since(epoch, 1))
		if !r.Recovered || r.Position != at(epoch, 1) {
			t.Errorf("resumption %+v", r)
		}
	})
	t.Run("SUB-4 a channel in which nothing had happened is recovered", func(t *testing.T) {
		f := newFixture(t, open)
		stream := f.sink.Join(room)
		epoch := f.epoch()
		f.sink.Leave(room, stream)
		f.control.Advance(50 * time.Second)
		f.publish("1")
		r := f.resume(since(epoch, 0))
		f.wantOffsets("replayed", r.Publications, 1)
		if !r.Recovered {
			t.Errorf("resumption %+v", r)
		}
	})
	t.Run("POS-7 state and presence do not age", func(t *testing.T) {
		f := newFixture(t, open)
		f.set("k", "1")
		f.enter("alice", "c1", "1")
		f.control.Advance(48 * time.Hour)
		if got := f.state(broker.StateQuery{}); len(got.Entries) != 1 || got.AsOf != 1 {
			t.Errorf("state %+v", got)
		}
		if got := f.presence(broker.PresenceQuery{}).Count; got != 1 {
			t.Errorf("%d members", got)
		}
	})
}

// wantHonest resumes on a channel to which 1, 2 … last were published (as numbers, over all its lives), of which the
// subscriber saw the first query.Since.Offset of some life. It either gets everything, or is told that it does not.
func (f *fixture) wantHonest(query broker.ResumeQuery, last int) {
	f.Helper()
	r := f.resume(query)
	if r.Recovered {
		if r.Position != *query.Since || r.Missed != nil || r.Top != uint64(last) || len(r.Publications) != last-int(query.Since.Offset) {
			f.Errorf("since %v: recovered, but not everything is there: %+v", *query.Since, r)
		}
		return
	}
	if r.Missed == nil || r.Missed.From != query.Since.Offset+1 {
		f.Errorf("since %v: neither recovered nor missed from %d: %+v", *query.Since, query.Since.Offset+1, r)
		return
	}
	sameLife := r.Position.Epoch == query.Since.Epoch
	if sameLife != (r.Missed.To != 0) && query.Since.Offset <= r.Top {
		f.Errorf("since %v: missed %v in epoch %s", *query.Since, *r.Missed, r.Position.Epoch)
	}
	page := f.history(broker.HistoryQuery{})
	if len(page.Publications) != len(r.Publications) {
		f.Errorf("since %v: %d replayed, %d held", *query.Since, len(r.Publications), len(page.Publications))
	}
	var before *realtime.Publication
	for _, p := range r.Publications {
		if before != nil && p.Offset != before.Offset+1 {
			f.Errorf("offset %d after %d", p.Offset, before.Offset)
		}
		before = p
	}
}
