package authority

import (
	"errors"
	"time"

	"github.com/bellwire/bellwire/realtime"
)

// Claims is what a valid connection token vouches for (AUT-3). The zero Claims is an anonymous connection.
type Claims struct {
	User    string
	Info    []byte    // JSON object shown in presence, or nil
	Expires time.Time // zero: never
	Grants  []Grant
}

// Grant lets its holder do Actions in every channel that one of Channels names; a name may be a pattern (NAM-4).
type Grant struct {
	Channels []string
	Actions  []realtime.Action
}

// SubscriptionClaims is what a valid subscription token vouches for (AUT-4).
type SubscriptionClaims struct {
	User    string
	Channel string
	Expires time.Time
	Actions []realtime.Action // subscribe, history, state and presence when the token lists none
}

// Verifier checks tokens. It is called by sessions, concurrently; it opens nothing and waits for nothing.
type Verifier interface {
	VerifyConnection(token string, now time.Time) (Claims, error)
	VerifySubscription(token string, now time.Time) (SubscriptionClaims, error)
}

// ErrExpired is what a Verifier's error is (errors.Is) when every check but the expiry held. Any other error of a
// Verifier says for the log which check failed, and is never shown to a peer (CNT-5).
var ErrExpired = errors.New("token expired")
