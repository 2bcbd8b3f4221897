package auth

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/authority"
)

type realtimeAction = realtime.Action

// AU-14 for the classes there are: only the diagonal passes (AUT-3, AUT-4).
func TestAU14ClassesOfTokensNeverCross(t *testing.T) {
	v := hmacVerifier(t)
	connection := hs256(goodHeader, goodClaims)
	subscription := hs256(goodHeader, `{"sub":"alice","exp":1790000060,"channel":"chat:lobby"}`)
	keys := NewAPIKeys([]string{testSecret})
	for _, test := range []struct {
		name            string
		token           string
		connect, attach Check
		api             bool
	}{
		{"connection token", connection, "", CheckClass, false},
		{"subscription token", subscription, CheckClass, "", false},
		{"subscription token of an empty channel", hs256(goodHeader, `{"sub":"alice","exp":1790000060,"channel":""}`), CheckClass, CheckClaims, false},
		{"subscription token of no channel", hs256(goodHeader, `{"sub":"alice","exp":1790000060,"channel":null}`), CheckClass, CheckClaims, false},
		{"API key", testSecret, CheckShape, CheckShape, true},
	} {
		if check := refusedBy(t, v, test.token); check != test.connect {
			t.Errorf("%s as connection token: %q", test.name, check)
		}
		claims, err := v.VerifySubscription(test.token, now)
		if check := checkOf(t, err, claims.User != ""); check != test.attach {
			t.Errorf("%s as subscription token: %q", test.name, check)
		}
		if keys.Holds(test.token) != test.api {
			t.Errorf("%s as API key: %v", test.name, !test.api)
		}
	}
}

// AUT-4
func TestASubscriptionTokenGrantsOneChannel(t *testing.T) {
	v := hmacVerifier(t)
	tests := []struct{ name, claims, want string }{
		{"the default", `"channel":"chat:lobby"`, "chat:lobby [subscribe history state presence]"},
		{"what it lists", `"channel":"chat:lobby","allow_actions":["publish"]`, "chat:lobby [publish]"},
		{"nothing", `"channel":"chat:lobby","allow_actions":[]`, "chat:lobby []"},
		{"a pattern", `"channel":"chat:*"`, ""},
		{"a bad name", `"channel":"chat lobby"`, ""},
		{"a number", `"channel":7`, ""},
		{"an unknown action", `"channel":"c","allow_actions":["all"]`, ""},
		{"actions as text", `"channel":"c","allow_actions":"publish"`, ""},
		{"17 actions", `"channel":"c","allow_actions":[` + strings.TrimSuffix(strings.Repeat(`"publish",`, 17), ",") + `]`, ""},
	}
	for _, test := range tests {
		claims, err := v.VerifySubscription(hs256(goodHeader, `{"sub":"alice","exp":1790000060,`+test.claims+`}`), now)
		got := ""
		if err == nil {
			got = fmt.Sprintf("%s %v", claims.Channel, claims.Actions)
		}
		if got != test.want || err != nil && checkOf(t, err, claims.User != "") != CheckClaims {
			t.Errorf("%s: %q %v", test.name, got, err)
		}
	}
	_, err := v.VerifySubscription(hs256(goodHeader, `{"sub":"alice","exp":1,"channel":"c"}`), now)
	if !errors.Is(err, authority.ErrExpired) {
		t.Errorf("expired: %v", err)
	}
}

func TestEveryRefusalIsCountedOnceByItsCheck(t *testing.T) {
	counts := make(map[Check]int)
	v := newVerifier(t, func(c *Config) { c.Failed = func(check Check) { counts[check]++ } }, Key{Algorithm: "HS256", Material: []byte(testSecret)})
	for _, token := range []string{"", "..", hs256(goodHeader, `{"sub":"a","exp":1}`), hs256(goodHeader, goodClaims)} {
		_, _ = v.VerifyConnection(token, now)
	}
	if fmt.Sprint(counts) != fmt.Sprint(map[Check]int{CheckShape: 1, CheckHeader: 1, CheckExpired: 1}) {
		t.Errorf("%v", counts)
	}
}

// VC-36: neither token nor secret nor a claim's value is in what goes to the log.
func TestErrorsHoldNothingOfTheToken(t *testing.T) {
	v := hmacVerifier(t)
	for _, token := range []string{
		"canary.canary.canary", hs256(`{"alg":"canary"}`, goodClaims), hs256(`{"alg":"HS256","kid":"canary"}`, goodClaims),
		hs256(goodHeader, `{"sub":"~canary","exp":1790000060}`), hs256(goodHeader, `{"sub":"canary","exp":1}`),
		hs256(goodHeader, `{"sub":"a","exp":1790000060,"aud":"canary"}`), hs256(goodHeader, `{"sub":"a","exp":1790000060,"allow":[{"channels":["canary!"],"actions":[]}]}`),
		hs256(`{"alg":"HS256","typ":"canary"}`, goodClaims),
	} {
		_, err := v.VerifyConnection(token, now)
		if err == nil || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), testSecret) {
			t.Errorf("%v", err)
		}
	}
}

func TestMintRefusesWhatNobodyWouldTake(t *testing.T) {
	for name, call := range map[string]func() (string, error){
		"algorithm": func() (string, error) {
			return Mint(SigningKey{Algorithm: "none"}, Order{User: "alice", Lifetime: time.Minute}, now)
		},
		"user": func() (string, error) {
			return Mint(SigningKey{Algorithm: "HS256", Private: []byte(testSecret)}, Order{User: "~a", Lifetime: time.Minute}, now)
		},
		"key of another kind": func() (string, error) {
			return Mint(SigningKey{Algorithm: "ES256", Private: []byte(testSecret)}, Order{User: "a", Lifetime: time.Minute}, now)
		},
	} {
		if token, err := call(); err == nil {
			t.Errorf("%s: minted %q", name, token)
		}
	}
}

func TestMintedSubscriptionTokens(t *testing.T) {
	v := newVerifier(t, func(c *Config) { c.Issuer, c.Audience = "shop", "bellwire" }, Key{Algorithm: "HS256", Material: []byte(testSecret)})
	token, err := Mint(SigningKey{Algorithm: "HS256", Private: []byte(testSecret)}, Order{
		User: "alice", Lifetime: time.Minute, Issuer: "shop", Audience: "bellwire", Channel: "chat:lobby", Actions: []realtime.Action{"publish"},
	}, now)
	if err != nil {
		t.Fatal(err)
	}
	claims, err := v.VerifySubscription(token, now)
	if err != nil || claims.Channel != "chat:lobby" || fmt.Sprint(claims.Actions) != "[publish]" {
		t.Errorf("%+v %v", claims, err)
	}
}

func TestAPIKeys(t *testing.T) {
	keys := NewAPIKeys([]string{"first-key-0123456789abcdef", "second-key-0123456789abcdef"})
	for key, want := range map[string]bool{
		"first-key-0123456789abcdef": true, "second-key-0123456789abcdef": true, "first-key-0123456789abcde": false,
		"first-key-0123456789abcdefg": false, "": false, "FIRST-KEY-0123456789ABCDEF": false,
	} {
		if keys.Holds(key) != want {
			t.Errorf("%q: %v", key, !want)
		}
	}
	if NewAPIKeys(nil).Holds("") {
		t.Error("no key holds the empty key")
	}
}

// The oracle is the signature: what was not signed with the secret is never valid, whatever it says.
func FuzzVerify(f *testing.F) {
	f.Add(hs256(goodHeader, goodClaims))
	f.Add(hs256(goodHeader, `{"sub":"alice","exp":1790000060,"aud":["x"],"info":{},"allow":[{"channels":["a"],"actions":["publish"]}]}`))
	f.Add(encode(`{"alg":"none"}`) + "." + encode(goodClaims) + ".")
	f.Add("a.b.c")
	v, err := New(Config{Keys: []Key{{Algorithm: "HS256", Material: []byte(testSecret)}}, TokenBytesMax: 8 << 10, Leeway: time.Second})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := v.VerifyConnection(token, now); err != nil {
			return
		}
		signed, _, _ := strings.Cut(token[strings.IndexByte(token, '.')+1:], ".")
		if token != signHS256(token[:strings.IndexByte(token, '.')+1+len(signed)]) {
			t.Fatalf("accepted what nobody signed: %q", token)
		}
	})
}
