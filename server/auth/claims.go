package auth

import (
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/authority"
	"github.com/bellwire/bellwire/server/document"
)

const (
	infoBytesMax     = 1 << 10 // AUT-3
	grantsMax        = 1000    // and channels of all of them together (VC-17)
	audiencesMax     = 64
	numericDateMax   = 253402300799 // the end of the year 9999
	actionsOfListMax = 16
)

// claims is what a token says about itself, with the right types and sizes and a signature that holds.
type claims struct {
	user      string
	issuer    string
	audience  []string
	expires   time.Time
	notBefore time.Time
	issuedAt  time.Time

	info   []byte            // connection tokens
	grants []authority.Grant // connection tokens

	channel string            // subscription tokens
	actions []realtime.Action // subscription tokens
}

// readConnection reads the claims of a connection token (AUT-3). Claims that nobody here knows are let be.
func readConnection(t *token) (*claims, *Error) {
	if err := t.claims.Err(); err != nil {
		return nil, refuse(CheckClaims, realtime.AsError(err).Message)
	}
	if t.claims.Has("channel") {
		return nil, refuse(CheckClass, "a subscription token")
	}
	c := readCommon(t.claims)
	c.info, _ = t.claims.ObjectValue("info")
	grants, err := readGrants(t.claims)
	if err == nil {
		err = t.claims.Err()
	}
	if err != nil {
		return nil, refuse(CheckClaims, realtime.AsError(err).Message)
	}
	c.grants = grants
	if len(c.info) > infoBytesMax {
		return nil, refuse(CheckClaims, "info is larger than 1 KiB")
	}
	return c, c.checkUser()
}

// readSubscription reads the claims of a subscription token (AUT-4).
func readSubscription(t *token) (*claims, *Error) {
	if err := t.claims.Err(); err != nil {
		return nil, refuse(CheckClaims, realtime.AsError(err).Message)
	}
	if !t.claims.Has("channel") {
		return nil, refuse(CheckClass, "a connection token")
	}
	c := readCommon(t.claims)
	c.channel = t.claims.Text("channel")
	words, given := t.claims.Texts("allow_actions", actionsOfListMax)
	if err := t.claims.Err(); err != nil {
		return nil, refuse(CheckClaims, realtime.AsError(err).Message)
	}
	if err := realtime.CheckChannel(c.channel); err != nil {
		return nil, refuse(CheckClaims, "channel is not one exact channel")
	}
	c.actions = []realtime.Action{realtime.ActionSubscribe, realtime.ActionHistory, realtime.ActionState, realtime.ActionPresence}
	if given {
		actions, err := readActions(words)
		if err != nil {
			return nil, refuse(CheckClaims, err.Message)
		}
		c.actions = actions
	}
	return c, c.checkUser()
}

func readCommon(in *document.Object) *claims {
	c := &claims{user: in.Text("sub")}
	c.issuer, _ = in.OptionalText("iss")
	in.OptionalText("jti")
	in.Require("exp")
	c.expires = readDate(in, "exp")
	c.notBefore = readDate(in, "nbf")
	c.issuedAt = readDate(in, "iat")
	c.audience = readAudience(in)
	return c
}

// readDate reads a NumericDate (RFC 7519 2) of whole seconds.
func readDate(in *document.Object, name string) time.Time {
	seconds, found := in.Integer(name, 1, numericDateMax)
	if !found {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0)
}

// readAudience takes one name or a list (RFC 7519 4.1.3). A list that is there and empty is an audience nobody is in.
func readAudience(in *document.Object) []string {
	if value, found := in.Value("aud"); found && value[0] == '"' {
		one, _ := in.OptionalText("aud")
		return []string{one}
	}
	list, found := in.Texts("aud", audiencesMax)
	if found && len(list) == 0 {
		return []string{""}
	}
	return list
}

func readGrants(in *document.Object) ([]authority.Grant, error) {
	var grants []authority.Grant
	channels := 0
	for _, item := range in.Objects("allow", grantsMax) {
		item.Require("channels")
		item.Require("actions")
		names, _ := item.Texts("channels", grantsMax)
		words, _ := item.Texts("actions", actionsOfListMax)
		if err := item.End(); err != nil {
			return nil, err
		}
		actions, refusal := readActions(words)
		if refusal != nil {
			return nil, refusal
		}
		if channels += len(names); channels > grantsMax {
			return nil, realtime.NewError(realtime.CodeBadRequest, "allow has more than 1,000 channels")
		}
		if err := checkNames(names); err != nil {
			return nil, err
		}
		grants = append(grants, authority.Grant{Channels: names, Actions: actions})
	}
	return grants, nil
}

func checkNames(names []string) error {
	for _, name := range names {
		check := realtime.CheckChannel
		if realtime.IsPattern(name) {
			check = realtime.CheckPattern
		}
		if check(name) != nil {
			return realtime.NewError(realtime.CodeBadRequest, "allow has a name that is neither a channel nor a pattern")
		}
	}
	return nil
}

func readActions(words []string) ([]realtime.Action, *realtime.Error) {
	actions := make([]realtime.Action, 0, len(words))
	for _, word := range words {
		known := false
		for _, action := range realtime.Actions {
			known = known || word == string(action)
		}
		if !known {
			return nil, realtime.NewError(realtime.CodeBadRequest, "an action that does not exist")
		}
		actions = append(actions, realtime.Action(word))
	}
	return actions, nil
}

func (c *claims) checkUser() *Error {
	if err := realtime.CheckUser(c.user); err != nil {
		return refuse(CheckClaims, "sub: "+realtime.AsError(err).Message)
	}
	return nil
}

// The library's validator asks for the claims by these.

func (c *claims) GetExpirationTime() (*jwt.NumericDate, error) { return numericDate(c.expires), nil }
func (c *claims) GetNotBefore() (*jwt.NumericDate, error)      { return numericDate(c.notBefore), nil }
func (c *claims) GetIssuedAt() (*jwt.NumericDate, error)       { return numericDate(c.issuedAt), nil }
func (c *claims) GetIssuer() (string, error)                   { return c.issuer, nil }
func (c *claims) GetSubject() (string, error)                  { return c.user, nil }
func (c *claims) GetAudience() (jwt.ClaimStrings, error)       { return c.audience, nil }

func numericDate(t time.Time) *jwt.NumericDate {
	if t.IsZero() {
		return nil
	}
	return jwt.NewNumericDate(t)
}
