package hub_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/hub"
)

// change is one change of n:a; a name with a minus left.
func change(version uint64, count int, users ...string) *realtime.PresenceChange {
	c := &realtime.PresenceChange{Channel: "n:a", Version: version, Count: count}
	for _, user := range users {
		if gone, left := strings.CutPrefix(user, "-"); left {
			c.Left = append(c.Left, gone)
		} else {
			c.Set = append(c.Set, realtime.Member{User: user})
		}
	}
	return c
}

func (h *house) change(version uint64, count int, users ...string) {
	h.DeliverPresence(ns, change(version, count, users...))
}

func (h *house) tick(by time.Duration) { h.Tick(h.clock.advance(by)) }

func TestSUB11EachGetsWhatItAskedFor(t *testing.T) {
	h := newHouse(t)
	none, _ := h.join("n:a", hub.Options{})
	count, _ := h.join("n:a", hub.Options{Presence: hub.PresenceCount})
	members, _ := h.join("n:a", hub.Options{Presence: hub.PresenceMembers})
	proto, _ := h.join("n:a", hub.Options{Presence: hub.PresenceMembers, Encoder: h.proto})
	pattern, _ := h.join("n:*", hub.Options{Presence: hub.PresenceMembers})
	other, _ := h.join("n:b", hub.Options{Presence: hub.PresenceMembers})
	h.change(1, 1, "alice")
	h.want("none", none, "")
	h.want("count", count, "j n:a v1 n1 ")
	h.want("members", members, "j n:a v1 n1 alice")
	h.want("other protocol", proto, "p n:a v1 n1 alice")
	h.want("pattern", pattern, "")
	h.want("other channel", other, "")
}

func TestSRV4TheFirstChangeIsToldAtOnceAndLaterOnesTogether(t *testing.T) {
	h := newHouse(t)
	in, _ := h.join("n:a", hub.Options{Presence: hub.PresenceMembers})
	h.change(1, 1, "alice")
	h.want("first", in, "j n:a v1 n1 alice")
	h.change(2, 2, "bob")
	h.change(3, 3, "carol")
	h.change(4, 2, "-bob")
	h.tick(hub.PresenceWindow - 1)
	h.want("before the window has passed", in, "")
	h.tick(1)
	h.want("merged", in, "j n:a v4 n2 -bob carol")
	h.tick(hub.PresenceWindow)
	h.want("nothing happened", in, "")
	if _, ok := h.Hub.Deadline(); ok {
		t.Error("a deadline without a change that waits")
	}
	h.change(5, 1, "-carol")
	h.want("at once again", in, "j n:a v5 n1 -carol")
}

func TestSRV4TheLastOfAUserCounts(t *testing.T) {
	h := newHouse(t)
	in, _ := h.join("n:a", hub.Options{Presence: hub.PresenceMembers})
	h.change(1, 0, "-nobody")
	in.take()
	h.change(2, 1, "a")
	h.change(3, 0, "-a")
	h.change(4, 1, "b")
	h.change(5, 0, "-b")
	h.change(6, 1, "b")
	h.tick(hub.PresenceWindow)
	h.want("merged", in, "j n:a v6 n1 -a b")
}

func TestSRV4AtMostTenASecondAndTheLastStateIsExact(t *testing.T) { // RS-06
	h := newHouse(t)
	in, _ := h.join("n:a", hub.Options{Presence: hub.PresenceMembers})
	present := map[string]bool{}
	for i := range 10_000 {
		user := fmt.Sprint("u", i%700)
		if present[user] = !present[user]; present[user] {
			h.change(uint64(i+1), 0, user)
		} else {
			h.change(uint64(i+1), 0, "-"+user)
		}
		h.tick(100 * time.Microsecond)
	}
	h.tick(hub.PresenceWindow)
	told := strings.Split(in.take(), "; ")
	if len(told) > 12 {
		t.Errorf("%d changes told in a second", len(told))
	}
	seen := map[string]bool{}
	for _, line := range told {
		for _, user := range strings.Fields(line)[4:] {
			gone, left := strings.CutPrefix(user, "-")
			seen[gone] = !left
		}
	}
	for user, there := range present {
		if seen[user] != there {
			t.Errorf("%s: told %t, is %t", user, seen[user], there)
		}
	}
}

func TestSRV4ChannelsDoNotWaitForEachOther(t *testing.T) {
	h := newHouse(t)
	a, _ := h.join("n:a", hub.Options{Presence: hub.PresenceCount})
	b, _ := h.join("n:b", hub.Options{Presence: hub.PresenceCount})
	h.change(1, 1, "x")
	h.DeliverPresence(ns, &realtime.PresenceChange{Channel: "n:b", Version: 2, Count: 2})
	h.want("a", a, "j n:a v1 n1 ")
	h.want("b", b, "j n:b v2 n2 ")
}

// What nobody watched is not told later, mixed with newer changes: a watcher that came meanwhile has a newer snapshot.
func TestSRV4WhatWaitsIsForgottenWhenNobodyWatches(t *testing.T) {
	h := newHouse(t)
	_, s := h.join("n:a", hub.Options{Presence: hub.PresenceMembers})
	h.change(1, 1, "alice")
	h.change(2, 0, "-alice") // waits
	h.Leave(s)
	h.change(3, 1, "alice") // nobody watches
	in, _ := h.join("n:a", hub.Options{Presence: hub.PresenceMembers})
	h.change(4, 2, "bob")
	h.tick(hub.PresenceWindow)
	h.want("the new watcher", in, "j n:a v4 n2 bob")
}

func TestSRV4ALargeChangeIsToldEarly(t *testing.T) {
	h := newHouse(t)
	in, _ := h.join("n:a", hub.Options{Presence: hub.PresenceMembers})
	h.change(1, 1, "first")
	in.take()
	for i := range 600 {
		c := change(uint64(i+2), i, fmt.Sprint("u", i))
		c.Set[0].Info = make([]byte, 1024)
		h.DeliverPresence(ns, c)
	}
	early := in.take()
	if early == "" || strings.Contains(early, ";") {
		t.Errorf("told early: %.80q", early)
	}
	h.tick(hub.PresenceWindow)
	if rest := in.take(); !strings.Contains(rest, "v601") || strings.Contains(rest, "u0 ") {
		t.Errorf("the rest: %.80q", rest)
	}
}

func TestSUB9PresenceOptionsCanBeReplaced(t *testing.T) {
	h := newHouse(t)
	in, s := h.join("n:a", hub.Options{})
	h.change(1, 1, "alice")
	h.want("none", in, "")
	h.SetPresence(s, hub.PresenceMembers)
	h.change(2, 2, "bob")
	h.want("members", in, "j n:a v2 n2 bob")
	h.SetPresence(s, hub.PresenceNone)
	h.change(3, 3, "carol")
	h.tick(hub.PresenceWindow)
	h.want("none again", in, "")
	h.Leave(s)
	h.SetPresence(s, hub.PresenceMembers)
	if got := h.Stats().Channels; got != 0 {
		t.Errorf("%d channels", got)
	}
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func TestStartTellsMergedChangesByItself(t *testing.T) {
	h := hub.New(hub.Config{Clock: systemClock{}})
	h.Start()
	h.Start() // one goroutine only
	defer h.Close()
	in := &inbox{arrived: make(chan struct{}, 10)}
	if _, err := h.Join(in, "n:a", hub.Options{Encoder: newEncoder("j"), Presence: hub.PresenceMembers}); err != nil {
		t.Fatal(err)
	}
	h.DeliverPresence(ns, change(1, 1, "alice"))
	h.DeliverPresence(ns, change(2, 2, "bob"))
	h.DeliverPresence(ns, change(3, 1, "-bob"))
	var got []string
	for version := "v1"; ; {
		<-in.arrived
		got = append(got, in.take())
		if last := got[len(got)-1]; strings.Contains(last, "v3") {
			break
		} else if !strings.Contains(last, version) && !strings.Contains(last, "v2") {
			t.Fatalf("got %q", got)
		}
	}
	h.Close()
	h.Close()
}

func TestCloseWithoutStart(t *testing.T) { hub.New(hub.Config{Clock: systemClock{}}).Close() }

func TestPresenceInRacesEndsExact(t *testing.T) {
	h := hub.New(hub.Config{Clock: systemClock{}})
	h.Start()
	defer h.Close()
	const channels = 4
	var watchers [channels]*inbox
	for i := range watchers {
		watchers[i] = &inbox{}
		if _, err := h.Join(watchers[i], fmt.Sprint("n:", i), hub.Options{Encoder: newEncoder("j"), Presence: hub.PresenceCount}); err != nil {
			t.Fatal(err)
		}
	}
	var all sync.WaitGroup
	for i := range channels {
		all.Go(func() {
			for v := range uint64(500) {
				h.DeliverPresence(ns, &realtime.PresenceChange{Channel: fmt.Sprint("n:", i), Version: v + 1, Count: int(v)})
			}
		})
	}
	all.Wait()
	h.Tick(time.Now().Add(time.Second))
	for i := range watchers {
		told := strings.Split(watchers[i].take(), "; ")
		if last := told[len(told)-1]; !strings.HasSuffix(last, "v500 n499 ") {
			t.Errorf("channel %d ends with %q", i, last)
		}
	}
}
