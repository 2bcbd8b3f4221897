package hub_test

import (
	"fmt"
	"testing"

	"github.com/bellwire/bellwire/internal/seed"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/hub"
)

func TestSUB10APatternGetsEveryMatchingChannelWithoutPositions(t *testing.T) {
	h := newHouse(t)
	in, _ := h.join("n:a*", hub.Options{Connection: "c"})
	for _, channel := range []string{"n:a", "n:ab", "n:b", "n:", "na", "m:a"} {
		h.publish(channel, 5)
	}
	h.want("pattern", in, "j n:a/0 1; j n:ab/0 1")
}

func TestSUB10OnceForAChannelSubscriptionAndOnceForAllPatterns(t *testing.T) {
	h := newHouse(t)
	channel, _ := h.join("n:ab", hub.Options{Connection: "c"})
	var inboxes []*inbox
	for _, pattern := range []string{"n:ab*", "*", "n:*", "n:a*", "*"} {
		in, _ := h.join(pattern, hub.Options{Connection: "c"})
		inboxes = append(inboxes, in)
	}
	h.publish("n:ab", 5)
	h.want("channel", channel, "j n:ab/5 1")
	total := 0
	for _, in := range inboxes {
		total += in.patterns
	}
	if total != 1 {
		t.Errorf("%d deliveries for all patterns, want 1", total)
	}
}

func TestSUB10PatternsOfOtherConnectionsDoNotHideOnes(t *testing.T) {
	h := newHouse(t)
	broad, _ := h.join("*", hub.Options{Connection: "c1"})
	narrow, _ := h.join("n:*", hub.Options{Connection: "c2"})
	nameless, _ := h.join("n:*", hub.Options{})
	h.publish("n:a", 1)
	for name, in := range map[string]*inbox{"broad": broad, "narrow": narrow, "without connection": nameless} {
		h.want(name, in, "j n:a/0 1")
	}
}

func TestSUB10WhenTheBroaderPatternLeavesTheNarrowerCounts(t *testing.T) {
	h := newHouse(t)
	narrow, _ := h.join("n:a*", hub.Options{Connection: "c"})
	broad, s := h.join("n:*", hub.Options{Connection: "c"})
	h.publish("n:a", 1)
	h.want("broad", broad, "j n:a/0 1")
	h.want("narrow", narrow, "")
	h.Leave(s)
	h.publish("n:a", 2)
	h.want("broad", broad, "")
	h.want("narrow", narrow, "j n:a/0 1")
}

func TestTheNumberOfDifferentPatternsIsBounded(t *testing.T) {
	h := hub.New(hub.Config{Clock: &manualClock{}, PatternsMax: 3})
	join := func(pattern, connection string) (*hub.Subscription, error) {
		return h.Join(&inbox{}, pattern, hub.Options{Encoder: newEncoder("j"), Connection: connection})
	}
	var joined []*hub.Subscription
	for _, pattern := range []string{"*", "a*", "ab*", "a*"} { // of one connection: all but * are covered
		s, err := join(pattern, "c")
		if err != nil {
			t.Fatal(err)
		}
		joined = append(joined, s)
	}
	if _, err := join("b*", "d"); realtime.CodeOf(err) != realtime.CodeLimitExceeded {
		t.Errorf("a fourth pattern: %v", err)
	}
	if _, err := join("a*", "d"); err != nil {
		t.Errorf("a pattern that is in use: %v", err)
	}
	h.Leave(joined[2])
	if _, err := join("b*", "d"); err != nil {
		t.Errorf("after one has left: %v", err)
	}
}

// Against a model that looks at every subscription of every connection for each publication.
func TestSUB10AgreesWithTheModel(t *testing.T) {
	h, r := newHouse(t), seed.Rand(t)
	names := []string{"*", "n*", "n:*", "n:a*", "n:ab*", "m:*", "n:a", "n:ab", "m:a"}
	channels := []string{"n:a", "n:ab", "n:b", "m:a", "nn"}
	type member struct {
		in         *inbox
		s          *hub.Subscription
		connection string
	}
	var members []member
	for round := range 3000 {
		switch {
		case r.IntN(3) == 0 && len(members) > 0:
			i := r.IntN(len(members))
			h.Leave(members[i].s)
			members = append(members[:i], members[i+1:]...)
		case len(members) < 30:
			connection := fmt.Sprint("c", r.IntN(4))
			in, s := h.join(names[r.IntN(len(names))], hub.Options{Connection: connection})
			members = append(members, member{in, s, connection})
		}
		channel := channels[r.IntN(len(channels))]
		h.publish(channel, uint64(round+1))
		byPattern, wantByPattern := map[string]int{}, map[string]int{}
		for _, m := range members {
			isPattern := realtime.IsPattern(m.s.Name())
			got := m.in.take() != ""
			switch {
			case !isPattern && got != (m.s.Name() == channel):
				t.Fatalf("%s in %s: delivered %t", channel, m.s.Name(), got)
			case isPattern && got:
				byPattern[m.connection]++
				if !realtime.PatternMatches(m.s.Name(), channel) {
					t.Fatalf("%s came by %s", channel, m.s.Name())
				}
			}
			if isPattern && realtime.PatternMatches(m.s.Name(), channel) {
				wantByPattern[m.connection] = 1
			}
		}
		if fmt.Sprint(byPattern) != fmt.Sprint(wantByPattern) {
			t.Fatalf("round %d, %s: by patterns %v, want %v", round, channel, byPattern, wantByPattern)
		}
	}
}
