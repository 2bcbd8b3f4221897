package authority

import (
	"strings"

	"github.com/bellwire/bellwire/realtime"
)

// Actions that belong to the connection and to no channel. No grant and no namespace speaks of them.
const (
	ActionConnect realtime.Action = "connect"
	ActionCall    realtime.Action = "call"
)

// Subject is who asks.
type Subject struct {
	// Claims are those of the connection's token. User is also set on an anonymous connection, to the name the server
	// gave it (NAM-5), because it is what own keys are compared with.
	Claims *Claims

	// Subscription is what the channel's subscription token vouches for, or nil. One that has expired is not passed.
	Subscription *SubscriptionClaims

	// Backend: the application's own server asks. It may do everything.
	Backend bool
}

// Rules are the settings that apply. The zero Who is Nobody everywhere: what is not set is refused.
type Rules struct {
	// Namespace is that of the channel, or of a pattern that lies in one namespace; nil for a pattern that lies in none.
	Namespace *realtime.Namespace

	// Everywhere is what every namespace there is allows at least for the action. It decides a pattern that lies in no
	// one namespace, such as "*".
	Everywhere realtime.Who

	// Connect and Call are who may connect, and who may call the application.
	Connect, Call realtime.Who
}

// Request is what is asked for. Names have been checked.
type Request struct {
	Action  realtime.Action
	Channel string // or a pattern, with ActionSubscribe; "" with ActionConnect and ActionCall
	Key     string // with ActionUpdate
}

// Decide is the one function that says whether somebody may do something (AUT-1). It returns nil, or an
// *realtime.Error with CodePermissionDenied. It must be asked on every path: a command, a subscription that is restored,
// a token that is replaced, a list in a URL.
//
// Who may is said by the token's grants, by the subscription token, and by the namespace (AUT-2); one of them is enough.
// Own keys hold besides: no grant passes them (STA-7).
func Decide(subject Subject, rules Rules, request Request) error {
	switch {
	case subject.Backend:
		return nil
	case request.Action == ActionConnect:
		return decideWho(subject.Claims, rules.Connect)
	case request.Action == ActionCall:
		return decideWho(subject.Claims, rules.Call)
	case realtime.IsPattern(request.Channel):
		return decidePattern(subject, rules, request)
	}
	return decideChannel(subject, rules, request)
}

func decideWho(claims *Claims, who realtime.Who) error {
	if !allows(who, claims) {
		return errDenied
	}
	return nil
}

func decideChannel(subject Subject, rules Rules, request Request) error {
	if !isGranted(subject.Claims, request) && !isVouched(subject, request) && !allowsIn(rules.Namespace, subject.Claims, request) {
		return errDenied
	}
	if request.Action == realtime.ActionUpdate && rules.Namespace != nil && rules.Namespace.OwnKeys && !isOwnKey(subject.Claims, request.Key) {
		return errForeignKey
	}
	return nil
}

// decidePattern: a pattern gives every channel that matches it, so who asks must be allowed all of them.
func decidePattern(subject Subject, rules Rules, request Request) error {
	switch {
	case request.Action != realtime.ActionSubscribe:
		return errDenied
	case isGranted(subject.Claims, request):
		return nil
	case strings.IndexByte(request.Channel, ':') < 0:
		return decideWho(subject.Claims, rules.Everywhere)
	case allowsIn(rules.Namespace, subject.Claims, request):
		return nil
	}
	return errDenied
}

// isGranted reports whether one grant of the connection's token covers action and channel (AUT-3). It also works for a
// pattern: a grant covers it only when it covers everything that matches it.
func isGranted(claims *Claims, request Request) bool {
	if isAnonymous(claims) {
		return false
	}
	for _, grant := range claims.Grants {
		if containsAction(grant.Actions, request.Action) && coversAny(grant.Channels, request.Channel) {
			return true
		}
	}
	return false
}

// isVouched reports whether the subscription token says so: for its very channel and its very user only (AUT-4).
func isVouched(subject Subject, request Request) bool {
	s := subject.Subscription
	return s != nil && !isAnonymous(subject.Claims) && s.User == subject.Claims.User && s.Channel == request.Channel &&
		containsAction(s.Actions, request.Action)
}

// allowsIn reports whether the namespace lets its subject do so (AUT-2). Settings of another namespace never count.
func allowsIn(ns *realtime.Namespace, claims *Claims, request Request) bool {
	return ns != nil && ns.Name == realtime.NamespaceOf(request.Channel) && allows(ns.Allow[request.Action], claims)
}

func allows(who realtime.Who, claims *Claims) bool {
	switch who {
	case realtime.Anyone:
		return true
	case realtime.User:
		return !isAnonymous(claims)
	}
	return false
}

func isAnonymous(claims *Claims) bool {
	return claims == nil || claims.User == "" || realtime.IsAnonymous(claims.User)
}

func isOwnKey(claims *Claims, key string) bool {
	return claims != nil && claims.User != "" && key == claims.User
}

func coversAny(names []string, channel string) bool {
	for _, name := range names {
		if covers(name, channel) {
			return true
		}
	}
	return false
}

// covers reports whether a granted name, a channel or a pattern, covers a channel or a whole pattern.
func covers(granted, channel string) bool {
	prefix, isPattern := strings.CutSuffix(granted, "*")
	if !isPattern {
		return granted == channel
	}
	return strings.HasPrefix(strings.TrimSuffix(channel, "*"), prefix)
}

func containsAction(actions []realtime.Action, action realtime.Action) bool {
	for _, a := range actions {
		if a == action {
			return true
		}
	}
	return false
}

// The errors are made once: a refusal costs nothing.
var (
	errDenied = realtime.NewError(realtime.CodePermissionDenied,
		"neither the token nor the namespace allows this; the token needs a grant for it")
	errForeignKey = realtime.NewError(realtime.CodePermissionDenied,
		"in this namespace a client may change only the key that is its user, or begins with its user and a slash")
)
