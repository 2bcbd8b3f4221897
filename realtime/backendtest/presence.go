package backendtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
)

func (f *fixture) enter(user, connection, data string) {
	f.Helper()
	entrant := broker.Entrant{User: user, Connection: connection, Info: []byte(`{"name":"` + user + `"}`), Payload: text(data)}
	if err := f.backend.Enter(f.Context(), f.ns, room, entrant); err != nil {
		f.Fatalf("enter: %v", err)
	}
}

func (f *fixture) leave(user, connection string) {
	f.Helper()
	if err := f.backend.Leave(f.Context(), f.ns, room, user, connection); err != nil {
		f.Fatalf("leave: %v", err)
	}
}

func (f *fixture) presence(query broker.PresenceQuery) broker.PresencePage {
	f.Helper()
	if query.Limit == 0 {
		query.Limit = broker.LimitMax
	}
	page, err := f.backend.Presence(f.Context(), f.ns, room, query)
	if err != nil {
		f.Fatalf("presence: %v", err)
	}
	return page
}

// describe writes members as "alice{name}[c1=data c2=data]".
func describe(members []realtime.Member) string {
	var list []string
	for _, m := range members {
		var connections []string
		for _, c := range m.Connections {
			connections = append(connections, c.Connection+"="+string(c.Payload.Bytes))
		}
		slices.Sort(connections)
		list = append(list, fmt.Sprint(m.User, string(m.Info), connections))
	}
	return strings.Join(list, " ")
}

func testPresence(t *testing.T, open Open) {
	t.Run("PRE-1 a member has user, info and connections with their data", func(t *testing.T) {
		f := newFixture(t, open)
		f.enter("alice", "c1", "1")
		f.enter("bob", "c2", "2")
		f.enter("alice", "c3", "3")
		want := `alice{"name":"alice"}[c1=1 c3=3] bob{"name":"bob"}[c2=2]`
		if page := f.presence(broker.PresenceQuery{}); describe(page.Members) != want || page.Count != 2 {
			t.Errorf("%d members: %s", page.Count, describe(page.Members))
		}
	})
	t.Run("PRE-1 entering again replaces the data", func(t *testing.T) {
		f := newFixture(t, open)
		f.enter("alice", "c1", "1")
		f.enter("alice", "c1", "2")
		if got := describe(f.presence(broker.PresenceQuery{}).Members); got != `alice{"name":"alice"}[c1=2]` {
			t.Error(got)
		}
	})
	t.Run("PRE-2 a member is there as long as one of its connections is", func(t *testing.T) {
		f := newFixture(t, open)
		f.enter("alice", "c1", "1")
		f.enter("alice", "c2", "2")
		f.leave("alice", "c1")
		if got := describe(f.presence(broker.PresenceQuery{}).Members); got != `alice{"name":"alice"}[c2=2]` {
			t.Error(got)
		}
		f.leave("alice", "c2")
		if page := f.presence(broker.PresenceQuery{}); page.Count != 0 || len(page.Members) != 0 {
			t.Errorf("page %+v", page)
		}
	})
	t.Run("PRE-2 leaving what is not there changes nothing", func(t *testing.T) {
		f := newFixture(t, open)
		f.leave("alice", "c1")
		f.enter("alice", "c1", "1")
		f.leave("alice", "c9")
		f.leave("bob", "c1")
		if got := len(f.sink.Presence(room)); got != 1 {
			t.Errorf("%d changes delivered, want 1", got)
		}
	})
	t.Run("SRV-4 changes have new members whole, and users that are gone", testPresenceChanges(open))
	t.Run("PRE-3 members come in the order of their users, in pages", testPresencePages(open))
	t.Run("PRE-3 count_only ships no members", func(t *testing.T) {
		f := newFixture(t, open)
		f.enter("alice", "c1", "1")
		page := f.presence(broker.PresenceQuery{CountOnly: true})
		if page.Count != 1 || len(page.Members) != 0 || page.More || page.Version == 0 {
			t.Errorf("page %+v", page)
		}
	})
	t.Run("PRE-3 limit is 1 to 1000", func(t *testing.T) {
		f := newFixture(t, open)
		for _, limit := range []int{-1, 0, 1001} {
			_, err := f.backend.Presence(t.Context(), f.ns, room, broker.PresenceQuery{Limit: limit})
			f.wantCode(err, realtime.CodeBadRequest)
		}
	})
	t.Run("PRE-4 the version grows by every change", testPresenceVersions(open))
	t.Run("PRE-5 the number of members is bounded, not that of a member's connections", func(t *testing.T) {
		f := newFixture(t, open, func(ns *realtime.Namespace) { ns.PresenceMembersMax = 2 })
		f.enter("a", "c1", "1")
		f.enter("b", "c2", "1")
		f.wantCode(f.backend.Enter(t.Context(), f.ns, room, broker.Entrant{User: "c", Connection: "c3"}), realtime.CodeLimitExceeded)
		f.enter("a", "c4", "1")
		f.leave("b", "c2")
		f.enter("c", "c3", "1")
		if got := f.presence(broker.PresenceQuery{}).Count; got != 2 {
			t.Errorf("count %d, want 2", got)
		}
	})
	t.Run("PRE-1 presence is of its channel", func(t *testing.T) {
		f := newFixture(t, open)
		f.enter("alice", "c1", "1")
		page, err := f.backend.Presence(t.Context(), f.ns, "room:2", broker.PresenceQuery{Limit: 10})
		if err != nil || page.Count != 0 || len(page.Members) != 0 {
			t.Errorf("page %+v, %v", page, err)
		}
	})
	t.Run("PRE-1 presence makes no entries in the log", func(t *testing.T) {
		f := newFixture(t, open)
		f.enter("alice", "c1", "1")
		if published := f.publish("0"); published.Position.Offset != 1 {
			t.Errorf("published %+v", published)
		}
	})
}

func testPresenceChanges(open Open) func(t *testing.T) {
	return func(t *testing.T) {
		f := newFixture(t, open)
		f.enter("alice", "c1", "1")
		f.enter("alice", "c2", "2")
		f.enter("bob", "c3", "3")
		f.leave("alice", "c1")
		f.leave("alice", "c2")
		want := []string{
			`1 alice{"name":"alice"}[c1=1] []`,
			`1 alice{"name":"alice"}[c1=1 c2=2] []`,
			`2 bob{"name":"bob"}[c3=3] []`,
			`2 alice{"name":"alice"}[c2=2] []`,
			`1  [alice]`,
		}
		changes := f.sink.Presence(room)
		if len(changes) != len(want) {
			t.Fatalf("%d changes, want %d", len(changes), len(want))
		}
		for i, c := range changes {
			if got := fmt.Sprint(c.Count, " ", describe(c.Set), " ", c.Left); got != want[i] {
				t.Errorf("change %d: %s, want %s", i, got, want[i])
			}
		}
	}
}

func testPresencePages(open Open) func(t *testing.T) {
	return func(t *testing.T) {
		f := newFixture(t, open)
		for i := range 50 {
			f.enter(fmt.Sprintf("u%03d", i*7%50), "c", `"`+strings.Repeat("x", 20<<10)+`"`)
		}
		for _, limit := range []int{1, 7, 1000} {
			var users []string
			query := broker.PresenceQuery{Limit: limit}
			for more := true; more; {
				page := f.presence(query)
				if len(page.Members) == 0 || len(page.Members) > min(limit, 25) || page.Count != 50 {
					t.Fatalf("page of %d members of %d", len(page.Members), page.Count)
				}
				for _, m := range page.Members {
					users = append(users, m.User)
				}
				query.After, more = users[len(users)-1], page.More
			}
			if len(users) != 50 || !slices.IsSorted(users) {
				t.Errorf("limit %d: %q", limit, users)
			}
		}
	}
}

func testPresenceVersions(open Open) func(t *testing.T) {
	return func(t *testing.T) {
		f := newFixture(t, open)
		version := f.presence(broker.PresenceQuery{}).Version
		for i := range 5 {
			f.enter("alice", fmt.Sprint("c", i), "1")
			f.leave("alice", fmt.Sprint("c", i)) // the last one: the channel is empty in between
			for _, change := range f.sink.Presence(room)[2*i:] {
				if change.Version <= version {
					t.Errorf("version %d after %d", change.Version, version)
				}
				version = change.Version
			}
			if page := f.presence(broker.PresenceQuery{}); page.Version < version {
				t.Errorf("the page has version %d, the last change %d", page.Version, version)
			}
			f.control.Advance(3 * 60 * 1e9)
		}
		if page := f.presence(broker.PresenceQuery{}); page.Version < version {
			t.Errorf("much later the page has version %d, the last change %d", page.Version, version)
		}
	}
}
