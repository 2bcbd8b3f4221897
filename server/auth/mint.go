package auth

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/authority"
)

// Order is a token to be minted. With a Channel it becomes a subscription token, without a connection token.
type Order struct {
	User     string
	Lifetime time.Duration
	Issuer   string
	Audience string

	Info   []byte // JSON object, or nil
	Grants []authority.Grant

	Channel string
	Actions []realtime.Action // of the subscription token; the default when there are none
}

// SigningKey signs tokens. Private is []byte, *rsa.PrivateKey, *ecdsa.PrivateKey or ed25519.PrivateKey.
type SigningKey struct {
	ID        string
	Algorithm string
	Private   any
}

// Mint makes a token. Whoever verifies it makes all checks: a wrong order gives a token that is refused.
func Mint(key SigningKey, order Order, now time.Time) (string, error) {
	method := methodOf(key.Algorithm)
	if method == nil {
		return "", fmt.Errorf("algorithm %q is not supported", key.Algorithm)
	}
	if err := realtime.CheckUser(order.User); err != nil {
		return "", err
	}
	// Backdated by a second, so that a verifier whose clock is a moment behind takes it at once.
	claims := jwt.MapClaims{
		"sub": order.User, "iat": now.Unix() - 1, "exp": now.Add(order.Lifetime).Unix(), "jti": rand.Text(),
	}
	put(claims, "iss", order.Issuer)
	put(claims, "aud", order.Audience)
	put(claims, "channel", order.Channel)
	if len(order.Info) > 0 {
		claims["info"] = json.RawMessage(order.Info)
	}
	if len(order.Grants) > 0 {
		claims["allow"] = grantClaims(order.Grants)
	}
	if len(order.Actions) > 0 {
		claims["allow_actions"] = order.Actions
	}
	made := jwt.NewWithClaims(method, claims)
	if key.ID != "" {
		made.Header["kid"] = key.ID
	}
	signed, err := made.SignedString(key.Private)
	if err != nil {
		return "", fmt.Errorf("signing: %w", err)
	}
	return signed, nil
}

func put(claims jwt.MapClaims, name, value string) {
	if value != "" {
		claims[name] = value
	}
}

type grantClaim struct {
	Channels []string          `json:"channels"`
	Actions  []realtime.Action `json:"actions"`
}

func grantClaims(grants []authority.Grant) []grantClaim {
	list := make([]grantClaim, len(grants))
	for i, grant := range grants {
		list[i] = grantClaim(grant)
	}
	return list
}

// ParseGrant reads a grant as it is written on a command line: chat:*,news=subscribe,publish.
func ParseGrant(text string) (authority.Grant, error) {
	names, words, found := strings.Cut(text, "=")
	if !found || names == "" || words == "" {
		return authority.Grant{}, fmt.Errorf("a grant is written <channel>,…=<action>,… and %q is not", text)
	}
	channels := strings.Split(names, ",")
	if err := checkNames(channels); err != nil {
		return authority.Grant{}, fmt.Errorf("%q: %s", text, realtime.AsError(err).Message)
	}
	actions, err := ParseActions(words)
	return authority.Grant{Channels: channels, Actions: actions}, err
}

// ParseActions reads actions that are separated by commas.
func ParseActions(words string) ([]realtime.Action, error) {
	actions, refusal := readActions(strings.Split(words, ","))
	if refusal != nil {
		return nil, fmt.Errorf("%q: actions are %v", words, realtime.Actions)
	}
	return actions, nil
}
