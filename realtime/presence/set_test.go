package presence_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
	"github.com/bellwire/bellwire/realtime/presence"
)

// What a backend shows of presence are rows of realtime/backendtest; here is what only the package itself can show.

func entrant(user, connection, data string) *broker.Entrant {
	return &broker.Entrant{User: user, Connection: connection, Info: []byte(user), Payload: realtime.JSON([]byte(data))}
}

func enter(t *testing.T, s *presence.Set, e *broker.Entrant) *realtime.PresenceChange {
	t.Helper()
	change, err := s.Enter(e, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return change
}

func TestEnteringWithTheSameDataIsNoChange(t *testing.T) {
	var s presence.Set
	enter(t, &s, entrant("alice", "c1", "1"))
	if change := enter(t, &s, entrant("alice", "c1", "1")); change != nil {
		t.Errorf("PRE-4 %+v", change)
	}
	if change := enter(t, &s, entrant("alice", "c1", "2")); change == nil {
		t.Error("PRE-1 other data is no change")
	}
	other := entrant("alice", "c1", "2")
	other.Info = []byte("new")
	if change := enter(t, &s, other); change == nil || string(change.Set[0].Info) != "new" {
		t.Errorf("PRE-1 other info: %+v", change)
	}
	binary := *other
	binary.Payload = realtime.Binary([]byte("2"))
	if change := enter(t, &s, &binary); change == nil {
		t.Error("PRE-1 the same bytes as another kind are no change")
	}
}

func TestWhatWasHandedOutDoesNotChange(t *testing.T) {
	var s presence.Set
	first := enter(t, &s, entrant("alice", "c1", "1"))
	enter(t, &s, entrant("alice", "c2", "2"))
	page, _ := s.Page("", 10, 1<<20)
	enter(t, &s, entrant("alice", "c1", "changed"))
	enter(t, &s, entrant("alice", "c3", "3"))
	s.Leave("alice", "c2")
	if got := describe(first.Set); got != "alice[c1=1]" {
		t.Errorf("the change became %s", got)
	}
	if got := describe(page); got != "alice[c1=1 c2=2]" {
		t.Errorf("the page became %s", got)
	}
}

func TestTheConnectionsOfAMemberAreBounded(t *testing.T) {
	var s presence.Set
	for i := range presence.MemberConnectionsMax {
		enter(t, &s, entrant("tv", fmt.Sprint("c", i), "1"))
	}
	if _, err := s.Enter(entrant("tv", "one more", "1"), 1000); realtime.CodeOf(err) != realtime.CodeLimitExceeded {
		t.Errorf("error %v", err)
	}
	if change := enter(t, &s, entrant("tv", "c0", "2")); change == nil {
		t.Error("a connection that is there cannot change its data")
	}
	s.Leave("tv", "c0")
	enter(t, &s, entrant("tv", "one more", "1"))
}

func TestAgreesWithTheModel(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var s presence.Set
	model := map[string]map[string]string{}
	for step := range 5000 {
		user, connection, data := fmt.Sprint("u", r.IntN(20)), fmt.Sprint("c", r.IntN(5)), fmt.Sprint(r.IntN(3))
		if r.IntN(2) == 0 {
			change, err := s.Enter(entrant(user, connection, data), 10)
			full := model[user] == nil && len(model) >= 10
			if (err != nil) != full {
				t.Fatalf("PRE-5 step %d: %v, full %t", step, err, full)
			}
			if err != nil {
				continue
			}
			before, was := model[user][connection]
			if (change == nil) != (was && before == data) {
				t.Fatalf("step %d: change %+v", step, change)
			}
			if model[user] == nil {
				model[user] = map[string]string{}
			}
			model[user][connection] = data
		} else {
			change := s.Leave(user, connection)
			if _, was := model[user][connection]; was != (change != nil) {
				t.Fatalf("PRE-2 step %d: change %+v", step, change)
			}
			delete(model[user], connection)
			if len(model[user]) == 0 {
				delete(model, user)
			}
		}
		page, more := s.Page("", 100, 1<<20)
		if got, want := describe(page), describeModel(model); got != want || more || s.Count() != len(model) {
			t.Fatalf("step %d: %s, want %s", step, got, want)
		}
	}
	for user, connections := range model {
		for connection := range connections {
			s.Leave(user, connection)
		}
	}
	if s.Count() != 0 || s.Bytes() != 0 {
		t.Errorf("%d members, %d bytes are left", s.Count(), s.Bytes())
	}
}

func describe(members []realtime.Member) string {
	model := map[string]map[string]string{}
	var order []string
	for _, m := range members {
		order = append(order, m.User)
		model[m.User] = map[string]string{}
		for _, c := range m.Connections {
			model[m.User][c.Connection] = string(c.Payload.Bytes)
		}
	}
	if !slices.IsSorted(order) {
		return "not in order: " + fmt.Sprint(order)
	}
	return describeModel(model)
}

func describeModel(model map[string]map[string]string) string {
	var users []string
	for user, connections := range model {
		var list []string
		for connection, data := range connections {
			list = append(list, connection+"="+data)
		}
		slices.Sort(list)
		users = append(users, user+fmt.Sprint(list))
	}
	slices.Sort(users)
	return strings.Join(users, " ")
}
