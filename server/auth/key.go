package auth

import (
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Config is what tokens are verified by.
type Config struct {
	Keys          []Key
	Issuer        string        // "": not looked at
	Audience      string        // "": tokens must have no aud claim
	Leeway        time.Duration // of every comparison with the clock
	TokenBytesMax int

	// Failed is told the name of the check that a token failed, for metrics; nil is allowed.
	Failed func(check Check)
}

// Key verifies the signatures of one algorithm.
type Key struct {
	ID        string // the kid header of tokens it signed; "" for tokens without one
	Algorithm string // as RFC 7518 and RFC 8037 name it
	Material  any    // []byte, *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey, checked when it was loaded
}

type verifyingKey struct {
	Key
	method jwt.SigningMethod
}

// keySet finds the key of a token.
type keySet struct {
	byID map[string]verifyingKey
	only *verifyingKey // the one key there is, or nil
}

func newKeySet(keys []Key) (keySet, error) {
	set := keySet{byID: make(map[string]verifyingKey, len(keys))}
	for _, key := range keys {
		method := methodOf(key.Algorithm)
		if method == nil {
			return keySet{}, fmt.Errorf("key %q: algorithm %q is not supported", key.ID, key.Algorithm)
		}
		if _, taken := set.byID[key.ID]; taken {
			return keySet{}, fmt.Errorf("two keys have the id %q", key.ID)
		}
		verifying := verifyingKey{Key: key, method: method}
		set.byID[key.ID] = verifying
		set.only = &verifying
	}
	if len(keys) != 1 {
		set.only = nil
	}
	return set, nil
}

// methodOf is the closed list of AUT-5; none is not on it.
func methodOf(algorithm string) jwt.SigningMethod {
	switch algorithm {
	case "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "EdDSA":
		return jwt.GetSigningMethod(algorithm)
	}
	return nil
}

// find returns the key that must have signed a token. A token without a key id was signed by the key without one, or by
// the only key there is. A key id that nobody knows is refused, and nothing is fetched for it (AU-08).
func (s *keySet) find(id string, given bool) (verifyingKey, bool) {
	if key, found := s.byID[id]; found {
		return key, true
	}
	if !given && s.only != nil {
		return *s.only, true
	}
	return verifyingKey{}, false
}
