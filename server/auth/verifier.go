package auth

import (
	"errors"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/authority"
)

// Verifier checks tokens by fixed keys.
type Verifier struct {
	config Config
	keys   keySet
}

var _ authority.Verifier = (*Verifier)(nil)

// New returns a Verifier, which refuses every token when there are no keys.
func New(config Config) (*Verifier, error) {
	keys, err := newKeySet(config.Keys)
	if err != nil {
		return nil, err
	}
	if config.TokenBytesMax <= 0 {
		return nil, errors.New("TokenBytesMax must be positive")
	}
	return &Verifier{config: config, keys: keys}, nil
}

// VerifyConnection checks a connection token (AUT-3).
func (v *Verifier) VerifyConnection(text string, now time.Time) (authority.Claims, error) {
	claims, err := v.verify(text, now, readConnection)
	if err != nil {
		return authority.Claims{}, err
	}
	return authority.Claims{User: claims.user, Info: claims.info, Expires: claims.expires, Grants: claims.grants}, nil
}

// VerifySubscription checks a subscription token (AUT-4).
func (v *Verifier) VerifySubscription(text string, now time.Time) (authority.SubscriptionClaims, error) {
	claims, err := v.verify(text, now, readSubscription)
	if err != nil {
		return authority.SubscriptionClaims{}, err
	}
	return authority.SubscriptionClaims{
		User: claims.user, Channel: claims.channel, Expires: claims.expires, Actions: claims.actions,
	}, nil
}

// verify makes the checks in the order of their list, counts the one that failed and hides everything else.
func (v *Verifier) verify(text string, now time.Time, read func(*token) (*claims, *Error)) (*claims, error) {
	c, err := v.check(text, now, read)
	if err != nil {
		if v.config.Failed != nil {
			v.config.Failed(err.Check)
		}
		return nil, err
	}
	return c, nil
}

func (v *Verifier) check(text string, now time.Time, read func(*token) (*claims, *Error)) (*claims, *Error) {
	t, err := parse(text, v.config.TokenBytesMax)
	if err != nil {
		return nil, err
	}
	if err := v.checkSignature(t); err != nil {
		return nil, err
	}
	c, err := read(t)
	if err != nil {
		return nil, err
	}
	if err := v.checkClaims(c, now); err != nil {
		return nil, err
	}
	return c, nil
}

// checkSignature lets the key decide the algorithm (AUT-5).
func (v *Verifier) checkSignature(t *token) *Error {
	key, found := v.keys.find(t.keyID, t.hasKeyID)
	if !found {
		return refuse(CheckKey, "no key has this id")
	}
	if t.algorithm != key.Algorithm {
		return refuse(CheckAlgorithm, "the key is for "+key.Algorithm)
	}
	if err := key.method.Verify(t.signed, t.signature, key.Material); err != nil {
		return refuse(CheckSignature, "")
	}
	return nil
}

// checkClaims compares what was read with the configuration and the clock. A token is expired only when everything else
// about it holds, so that the expiry of a forged token tells nothing.
func (v *Verifier) checkClaims(c *claims, now time.Time) *Error {
	if v.config.Audience == "" && len(c.audience) > 0 {
		// RFC 7519 4.1.3: who does not find himself among the audience must reject the token.
		return refuse(CheckAudience, "the token is meant for somebody and no audience is configured")
	}
	options := []jwt.ParserOption{
		jwt.WithTimeFunc(func() time.Time { return now }), jwt.WithLeeway(v.config.Leeway),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(),
	}
	if v.config.Issuer != "" {
		options = append(options, jwt.WithIssuer(v.config.Issuer))
	}
	if v.config.Audience != "" {
		options = append(options, jwt.WithAudience(v.config.Audience))
	}
	err := jwt.NewValidator(options...).Validate(c)
	if err == nil {
		return nil
	}
	for _, known := range []struct {
		err   error
		check Check
	}{
		{jwt.ErrTokenInvalidIssuer, CheckIssuer}, {jwt.ErrTokenInvalidAudience, CheckAudience},
		{jwt.ErrTokenRequiredClaimMissing, CheckClaims}, {jwt.ErrTokenNotValidYet, CheckNotBefore},
		{jwt.ErrTokenUsedBeforeIssued, CheckIssuedAt}, {jwt.ErrTokenExpired, CheckExpired},
	} {
		if errors.Is(err, known.err) {
			return refuse(known.check, "")
		}
	}
	return refuse(CheckClaims, realtime.CodeInvalidToken.Name())
}
