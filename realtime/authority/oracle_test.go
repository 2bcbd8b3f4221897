package authority_test

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/seed"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/authority"
)

// The oracle asks the rules of the specification one after another, for one channel, by regular expressions and sets,
// without sharing a line with Decide. A pattern is allowed only when every channel of a small universe that matches is.

var users = []string{"", "~c1", "alice", "alice2", "bob"}

// universe is every channel of up to three bytes after the namespace, over two letters, in two namespaces and none.
var universe = func() (channels []string) {
	tails := []string{}
	for _, a := range []string{"a", "b"} {
		tails = append(tails, a)
		for _, b := range []string{"a", "b"} {
			tails = append(tails, a+b)
		}
	}
	for _, ns := range []string{"", "n:", "nn:"} {
		for _, tail := range tails {
			channels = append(channels, ns+tail)
		}
	}
	return channels
}()

var patterns = []string{"*", "n*", "nn*", "n:*", "nn:*", "n:a*", "n:ab*", "nn:b*", "a*", "ab*"}

var keys = []string{"", "alice", "alice/", "alice/x", "alice2", "alicex", "bob", "~c1", "~c1/x", "/"}

func random[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

func randomActions(r *rand.Rand) (actions []realtime.Action) {
	for range r.IntN(3) {
		actions = append(actions, random(r, realtime.Actions))
	}
	return actions
}

func randomNames(r *rand.Rand) (names []string) {
	for range r.IntN(3) {
		names = append(names, random(r, append(universe, patterns...)))
	}
	return names
}

func randomNamespaces(r *rand.Rand) map[string]*realtime.Namespace {
	namespaces := make(map[string]*realtime.Namespace)
	for _, name := range []string{"", "n", "nn"} {
		ns := &realtime.Namespace{Name: name, OwnKeys: r.IntN(2) == 0, Allow: make(map[realtime.Action]realtime.Who)}
		for _, action := range realtime.Actions {
			if r.IntN(2) == 0 {
				ns.Allow[action] = realtime.Who(r.IntN(3))
			}
		}
		namespaces[name] = ns
	}
	return namespaces
}

func randomSubject(r *rand.Rand) authority.Subject {
	s := authority.Subject{Claims: &authority.Claims{User: random(r, users)}, Backend: r.IntN(20) == 0}
	for range r.IntN(3) {
		s.Claims.Grants = append(s.Claims.Grants, authority.Grant{Channels: randomNames(r), Actions: randomActions(r)})
	}
	if r.IntN(2) == 0 {
		s.Subscription = &authority.SubscriptionClaims{User: random(r, users), Channel: random(r, universe), Actions: randomActions(r)}
	}
	return s
}

func oracle(s authority.Subject, ns *realtime.Namespace, action realtime.Action, channel, key string) bool {
	if s.Backend {
		return true
	}
	hasToken := s.Claims.User != "" && !strings.HasPrefix(s.Claims.User, "~")
	reasons := 0
	switch ns.Allow[action] { // AUT-2
	case realtime.Anyone:
		reasons++
	case realtime.User:
		if hasToken {
			reasons++
		}
	}
	granted := make(map[realtime.Action]bool)
	for _, g := range s.Claims.Grants { // AUT-3
		for _, name := range g.Channels {
			expression := "^" + strings.ReplaceAll(regexp.QuoteMeta(name), `\*`, ".*") + "$"
			if regexp.MustCompile(expression).MatchString(channel) {
				for _, a := range g.Actions {
					granted[a] = true
				}
			}
		}
	}
	if sub := s.Subscription; sub != nil && sub.User == s.Claims.User && sub.Channel == channel { // AUT-4
		for _, a := range sub.Actions {
			granted[a] = true
		}
	}
	if hasToken && granted[action] {
		reasons++
	}
	if reasons == 0 {
		return false
	}
	if action == realtime.ActionUpdate && ns.OwnKeys { // STA-7
		return s.Claims.User != "" && key == s.Claims.User
	}
	return true
}

// AUT-1: over random rules the function and the oracle agree on every channel.
func TestDecideAgreesWithTheOracle(t *testing.T) {
	r := seed.Rand(t)
	allowed := 0
	for range 20000 {
		namespaces, subject := randomNamespaces(r), randomSubject(r)
		action, channel, key := random(r, realtime.Actions), random(r, universe), random(r, keys)
		ns := namespaces[realtime.NamespaceOf(channel)]
		got := authority.Decide(subject, authority.Rules{Namespace: ns}, authority.Request{Action: action, Channel: channel, Key: key}) == nil
		if want := oracle(subject, ns, action, channel, key); got != want {
			t.Fatalf("%s %s key %q\nclaims %+v\nsubscription %+v\nnamespace %+v\ndecided %t, oracle %t",
				action, channel, key, *subject.Claims, subject.Subscription, *ns, got, want)
		}
		if got {
			allowed++
		}
	}
	if allowed < 2000 || allowed > 18000 {
		t.Errorf("%d of 20000 allowed: the rules are not mixed", allowed)
	}
}

// A pattern that is allowed never shows a channel that is not; one that a single grant or the namespace opens is allowed.
func TestDecideAPatternIsAllowedOnlyWhenAllItMatchesIs(t *testing.T) {
	r := seed.Rand(t)
	allowed := 0
	for range 20000 {
		namespaces, subject, pattern := randomNamespaces(r), randomSubject(r), random(r, patterns)
		rules := authority.Rules{Everywhere: realtime.Anyone}
		for _, ns := range namespaces {
			rules.Everywhere = min(rules.Everywhere, ns.Allow[subscribe])
		}
		if strings.Contains(pattern, ":") {
			rules.Namespace = namespaces[realtime.NamespaceOf(pattern)]
		}
		if authority.Decide(subject, rules, ask(subscribe, pattern)) != nil {
			continue
		}
		allowed++
		for _, channel := range universe {
			if realtime.PatternMatches(pattern, channel) && !oracle(subject, namespaces[realtime.NamespaceOf(channel)], subscribe, channel, "") {
				t.Fatalf("%s is allowed, %s is not\nclaims %+v\nnamespaces %+v", pattern, channel, *subject.Claims, namespaces)
			}
		}
	}
	if allowed < 1000 {
		t.Errorf("%d of 20000 allowed: the rules are not mixed", allowed)
	}
}
