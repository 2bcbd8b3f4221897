package auth

import (
	"fmt"

	"github.com/bellwire/bellwire/realtime/authority"
)

// Check names what a token did not pass; the words are in logs and metrics.
type Check string

// The checks, in the order in which they are made.
const (
	CheckSize      Check = "size"      // longer than the limit
	CheckShape     Check = "shape"     // not three parts of base64url
	CheckHeader    Check = "header"    // not the header of a JWT, or with what must not be there
	CheckKey       Check = "key"       // no key has this id
	CheckAlgorithm Check = "algorithm" // not the key's
	CheckSignature Check = "signature"
	CheckClaims    Check = "claims" // a claim is missing, of a wrong type or out of its limits
	CheckClass     Check = "class"  // a subscription token where a connection token belongs, or the other way round
	CheckIssuer    Check = "issuer"
	CheckAudience  Check = "audience"
	CheckNotBefore Check = "not_before"
	CheckIssuedAt  Check = "issued_at"
	CheckExpired   Check = "expired" // everything else held
)

// Checks lists all, so that every one has its counter from the start.
var Checks = []Check{
	CheckSize, CheckShape, CheckHeader, CheckKey, CheckAlgorithm, CheckSignature, CheckClaims, CheckClass, CheckIssuer,
	CheckAudience, CheckNotBefore, CheckIssuedAt, CheckExpired,
}

// Error says which check a token failed, for the log. Detail is this package's own words or a field's name: it holds no
// value of the token.
type Error struct {
	Check  Check
	Detail string
}

func (e *Error) Error() string {
	if e.Detail == "" {
		return fmt.Sprintf("token refused: %s", e.Check)
	}
	return fmt.Sprintf("token refused: %s: %s", e.Check, e.Detail)
}

// Is makes an expired token authority.ErrExpired.
func (e *Error) Is(target error) bool {
	return target == authority.ErrExpired && e.Check == CheckExpired
}

func refuse(check Check, detail string) *Error { return &Error{Check: check, Detail: detail} }
