package authority_test

import (
	"errors"
	"testing"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/authority"
)

const (
	subscribe = realtime.ActionSubscribe
	publish   = realtime.ActionPublish
	update    = realtime.ActionUpdate
)

func anonymous() *authority.Claims { return &authority.Claims{User: "~c1"} }

func alice(grants ...authority.Grant) *authority.Claims {
	return &authority.Claims{User: "alice", Grants: grants}
}

func grant(action realtime.Action, channels ...string) authority.Grant {
	return authority.Grant{Channels: channels, Actions: []realtime.Action{action}}
}

func vouched(user, channel string, actions ...realtime.Action) *authority.SubscriptionClaims {
	return &authority.SubscriptionClaims{User: user, Channel: channel, Actions: actions}
}

// chat lets anyone subscribe, users publish and nobody update.
func chat() *realtime.Namespace {
	return &realtime.Namespace{Name: "chat", Allow: map[realtime.Action]realtime.Who{
		subscribe: realtime.Anyone, publish: realtime.User, update: realtime.Nobody,
	}}
}

func closed() *realtime.Namespace { return &realtime.Namespace{Name: "chat"} }

func ownKeys() *realtime.Namespace {
	ns := chat()
	ns.OwnKeys = true
	ns.Allow[update] = realtime.Anyone
	return ns
}

func everywhere(who realtime.Who) authority.Rules { return authority.Rules{Everywhere: who} }

type row struct {
	name    string
	subject authority.Subject
	rules   authority.Rules
	request authority.Request
	allowed bool
}

func ask(action realtime.Action, channel string) authority.Request {
	return authority.Request{Action: action, Channel: channel}
}

func TestDecide(t *testing.T) {
	in := func(ns *realtime.Namespace) authority.Rules { return authority.Rules{Namespace: ns} }
	of := func(c *authority.Claims) authority.Subject { return authority.Subject{Claims: c} }
	with := func(c *authority.Claims, s *authority.SubscriptionClaims) authority.Subject {
		return authority.Subject{Claims: c, Subscription: s}
	}
	backend := authority.Subject{Backend: true}
	change := func(key string) authority.Request {
		return authority.Request{Action: update, Channel: "chat:a", Key: key}
	}
	rows := []row{
		{"AUT-2 anyone: an anonymous connection may", of(anonymous()), in(chat()), ask(subscribe, "chat:a"), true},
		{"AUT-2 anyone: no claims at all may", of(nil), in(chat()), ask(subscribe, "chat:a"), true},
		{"AUT-2 user: a connection with a token may", of(alice()), in(chat()), ask(publish, "chat:a"), true},
		{"AUT-2 user: an anonymous connection may not", of(anonymous()), in(chat()), ask(publish, "chat:a"), false},
		{"AUT-2 user: the zero claims may not", of(&authority.Claims{}), in(chat()), ask(publish, "chat:a"), false},
		{"AUT-2 user: no claims at all may not", of(nil), in(chat()), ask(publish, "chat:a"), false},
		{"AUT-2 nobody: a user may not", of(alice()), in(chat()), ask(update, "chat:a"), false},
		{"AUT-2 nobody is the default", of(alice()), in(closed()), ask(subscribe, "chat:a"), false},
		{"AUT-2 a Who that does not exist is nobody", of(alice()), in(&realtime.Namespace{Name: "chat", Allow: map[realtime.Action]realtime.Who{subscribe: 7}}), ask(subscribe, "chat:a"), false},
		{"AUT-2 no namespace: nobody", of(alice()), in(nil), ask(subscribe, "chat:a"), false},
		{"AUT-2 another namespace's rules do not count", of(alice()), in(chat()), ask(subscribe, "other:a"), false},
		{"AUT-2 the rules of no namespace are not those of one", of(alice()), in(&realtime.Namespace{Allow: chat().Allow}), ask(subscribe, "chat:a"), false},
		{"AUT-2 an action of no channel kind is nobody's", of(alice()), in(chat()), ask("fly", "chat:a"), false},
		{"AUT-1 the backend may everything", backend, in(closed()), ask(publish, "chat:a"), true},
		{"AUT-1 the backend may without rules", backend, authority.Rules{}, ask(subscribe, "*"), true},

		{"AUT-3 a grant of the channel", of(alice(grant(publish, "chat:a"))), in(closed()), ask(publish, "chat:a"), true},
		{"AUT-3 a grant of another channel", of(alice(grant(publish, "chat:b"))), in(closed()), ask(publish, "chat:a"), false},
		{"AUT-3 a grant of a longer name", of(alice(grant(publish, "chat:aa"))), in(closed()), ask(publish, "chat:a"), false},
		{"AUT-3 a grant of a shorter name is no prefix", of(alice(grant(publish, "chat:a"))), in(closed()), ask(publish, "chat:aa"), false},
		{"AUT-3 a grant of another action", of(alice(grant(subscribe, "chat:a"))), in(closed()), ask(publish, "chat:a"), false},
		{"AUT-3 a grant of a pattern", of(alice(grant(publish, "chat:*"))), in(closed()), ask(publish, "chat:a"), true},
		{"AUT-3 a grant of everything", of(alice(grant(publish, "*"))), in(closed()), ask(publish, "chat:a"), true},
		{"AUT-3 a star in the middle is no pattern", of(alice(grant(publish, "chat:*b"))), in(closed()), ask(publish, "chat:ab"), false},
		{"AUT-3 two stars match nothing", of(alice(grant(publish, "chat:**"))), in(closed()), ask(publish, "chat:a"), false},
		{"AUT-3 an empty grant covers nothing", of(alice(grant(publish, ""))), in(closed()), ask(publish, "chat:a"), false},
		{"AUT-3 the second grant counts too", of(alice(grant(publish, "x"), grant(publish, "y", "chat:a"))), in(closed()), ask(publish, "chat:a"), true},
		{"AUT-3 action and channel of two grants are not one", of(alice(grant(publish, "x"), grant(subscribe, "chat:a"))), in(closed()), ask(publish, "chat:a"), false},
		{"AUT-3 names differ by case", of(alice(grant(publish, "chat:A"))), in(closed()), ask(publish, "chat:a"), false},
		{"AUT-3 grants of an anonymous connection do not count", of(&authority.Claims{User: "~c1", Grants: []authority.Grant{grant(publish, "*")}}), in(closed()), ask(publish, "chat:a"), false},

		{"AUT-4 a subscription token for channel, user and action", with(alice(), vouched("alice", "chat:a", subscribe)), in(closed()), ask(subscribe, "chat:a"), true},
		{"AUT-4 of another user", with(alice(), vouched("bob", "chat:a", subscribe)), in(closed()), ask(subscribe, "chat:a"), false},
		{"AUT-4 for another channel", with(alice(), vouched("alice", "chat:b", subscribe)), in(closed()), ask(subscribe, "chat:a"), false},
		{"AUT-4 for another action", with(alice(), vouched("alice", "chat:a", subscribe)), in(closed()), ask(publish, "chat:a"), false},
		{"AUT-4 that lists no action", with(alice(), vouched("alice", "chat:a")), in(closed()), ask(subscribe, "chat:a"), false},
		{"AUT-4 its channel is no pattern", with(alice(), vouched("alice", "chat:*", subscribe)), in(closed()), ask(subscribe, "chat:a"), false},
		{"AUT-4 it does not grant a pattern", with(alice(), vouched("alice", "chat:*", subscribe)), in(closed()), ask(subscribe, "chat:*"), false},
		{"AUT-4 of no user for no user", with(&authority.Claims{}, vouched("", "chat:a", subscribe)), in(closed()), ask(subscribe, "chat:a"), false},
		{"AUT-4 of the server's own name", with(anonymous(), vouched("~c1", "chat:a", subscribe)), in(closed()), ask(subscribe, "chat:a"), false},
		{"AUT-4 without claims", with(nil, vouched("alice", "chat:a", subscribe)), in(closed()), ask(subscribe, "chat:a"), false},

		{"NAM-4 a pattern in an open namespace", of(anonymous()), in(chat()), ask(subscribe, "chat:*"), true},
		{"NAM-4 a narrower pattern in an open namespace", of(anonymous()), in(chat()), ask(subscribe, "chat:eu/*"), true},
		{"NAM-4 a pattern in a closed namespace", of(alice()), in(closed()), ask(subscribe, "chat:*"), false},
		{"NAM-4 a pattern with the rules of another namespace", of(alice()), in(chat()), ask(subscribe, "other:*"), false},
		{"NAM-4 a grant of the same pattern", of(alice(grant(subscribe, "chat:*"))), in(closed()), ask(subscribe, "chat:*"), true},
		{"NAM-4 a grant of a broader pattern", of(alice(grant(subscribe, "chat:*"))), in(closed()), ask(subscribe, "chat:eu/*"), true},
		{"NAM-4 a grant of a narrower pattern does not cover", of(alice(grant(subscribe, "chat:eu/*"))), in(closed()), ask(subscribe, "chat:*"), false},
		{"NAM-4 a grant of a channel does not cover", of(alice(grant(subscribe, "chat:"))), in(closed()), ask(subscribe, "chat:*"), false},
		{"NAM-4 two grants do not add up to a pattern", of(alice(grant(subscribe, "chat:a*", "chat:b*"))), in(closed()), ask(subscribe, "chat:*"), false},
		{"NAM-4 only subscribe takes a pattern", of(alice(grant(publish, "*"))), in(chat()), ask(publish, "chat:*"), false},
		{"NAM-4 * alone needs a grant", of(alice()), everywhere(realtime.Nobody), ask(subscribe, "*"), false},
		{"NAM-4 * alone with a grant", of(alice(grant(subscribe, "*"))), everywhere(realtime.Nobody), ask(subscribe, "*"), true},
		{"NAM-4 * alone where every namespace is open", of(anonymous()), everywhere(realtime.Anyone), ask(subscribe, "*"), true},
		{"NAM-4 * alone where every namespace is open to users", of(anonymous()), everywhere(realtime.User), ask(subscribe, "*"), false},
		{"NAM-4 * alone is not decided by one namespace", of(alice()), in(&realtime.Namespace{Allow: chat().Allow}), ask(subscribe, "*"), false},
		{"NAM-4 a pattern that ends within a namespace's name lies in none", of(alice()), in(&realtime.Namespace{Allow: chat().Allow}), ask(subscribe, "cha*"), false},

		{"STA-7 the key that is the user", of(alice()), in(ownKeys()), change("alice"), true},
		{"STA-7 a key that begins with the user and a slash", of(alice()), in(ownKeys()), change("alice/x"), false},
		{"STA-7 a key that only begins with the user", of(alice()), in(ownKeys()), change("alicex"), false},
		{"STA-7 another's key", of(alice()), in(ownKeys()), change("bob"), false},
		{"STA-7 no key", of(alice()), in(ownKeys()), change(""), false},
		{"STA-7 no grant passes it", of(alice(grant(update, "*"))), in(ownKeys()), change("bob"), false},
		{"STA-7 no subscription token passes it", with(alice(), vouched("alice", "chat:a", update)), in(ownKeys()), change("bob"), false},
		{"STA-7 an anonymous connection has its own name", of(anonymous()), in(ownKeys()), change("~c1"), true},
		{"STA-7 the zero claims own nothing", of(&authority.Claims{}), in(ownKeys()), change("/x"), false},
		{"STA-7 no claims own nothing", of(nil), in(ownKeys()), change("x"), false},
		{"STA-7 the backend may change all", backend, in(ownKeys()), change("bob"), true},
		{"STA-7 an own key needs the permission too", of(alice()), in(&realtime.Namespace{Name: "chat", OwnKeys: true}), change("alice"), false},
		{"STA-7 other actions have no key", of(alice()), in(ownKeys()), ask(publish, "chat:a"), true},

		{"CNT-1 anonymous connections may connect where anyone may", of(anonymous()), authority.Rules{Connect: realtime.Anyone}, ask(authority.ActionConnect, ""), true},
		{"CNT-5 and not where users may", of(anonymous()), authority.Rules{Connect: realtime.User}, ask(authority.ActionConnect, ""), false},
		{"CNT-1 users may connect", of(alice()), authority.Rules{Connect: realtime.User}, ask(authority.ActionConnect, ""), true},
		{"CAL-1 users may call where users may", of(alice()), authority.Rules{Call: realtime.User}, ask(authority.ActionCall, ""), true},
		{"CAL-1 nobody calls by default", of(alice(grant(authority.ActionCall, "*"))), authority.Rules{}, ask(authority.ActionCall, ""), false},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			err := authority.Decide(r.subject, r.rules, r.request)
			if (err == nil) != r.allowed {
				t.Errorf("decided %v, want allowed %t", err, r.allowed)
			}
			if err != nil && !errors.Is(err, &realtime.Error{Code: realtime.CodePermissionDenied}) {
				t.Errorf("error %v is not permission_denied", err)
			}
		})
	}
}

func TestDecideAllocatesNothing(t *testing.T) {
	subject := authority.Subject{Claims: alice(grant(subscribe, "x:*")), Subscription: vouched("bob", "chat:a", subscribe)}
	rules := authority.Rules{Namespace: closed()}
	if n := testing.AllocsPerRun(100, func() { _ = authority.Decide(subject, rules, ask(subscribe, "chat:a")) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
