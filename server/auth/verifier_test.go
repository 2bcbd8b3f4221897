package auth

import (
	"bytes"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/realtime/authority"
)

const (
	goodHeader = `{"alg":"HS256","typ":"JWT"}`
	goodClaims = `{"sub":"alice","exp":1790000060}`
)

// refusedBy verifies a connection token and returns the check that it failed, "" when it is valid.
func refusedBy(t *testing.T, v *Verifier, token string) Check {
	t.Helper()
	claims, err := v.VerifyConnection(token, now)
	return checkOf(t, err, claims.User != "" || claims.Grants != nil || claims.Info != nil)
}

func checkOf(t *testing.T, err error, claimed bool) Check {
	t.Helper()
	if err == nil {
		return ""
	}
	if claimed {
		t.Error("claims came with an error (VC-32)")
	}
	var refusal *Error
	if !errors.As(err, &refusal) {
		t.Fatalf("an error of another type: %v", err)
	}
	return refusal.Check
}

// AUT-3, AUT-5
func TestAGoodTokenOfEveryAlgorithmIsValid(t *testing.T) {
	for _, algorithm := range testAlgorithms {
		private := testKeys()[algorithm]
		v := newVerifier(t, nil, Key{ID: "a", Algorithm: algorithm, Material: publicOf(private)})
		token, err := Mint(SigningKey{ID: "a", Algorithm: algorithm, Private: private}, Order{
			User: "alice", Lifetime: time.Minute, Info: []byte(`{"name":"Alice"}`),
			Grants: []authority.Grant{{Channels: []string{"chat:*", "news"}, Actions: []realtimeAction{"subscribe", "publish"}}},
		}, now)
		if err != nil {
			t.Fatal(err)
		}
		claims, err := v.VerifyConnection(token, now)
		if err != nil {
			t.Fatalf("%s: %v", algorithm, err)
		}
		if claims.User != "alice" || string(claims.Info) != `{"name":"Alice"}` || !claims.Expires.Equal(now.Add(time.Minute)) ||
			fmt.Sprint(claims.Grants) != "[{[chat:* news] [subscribe publish]}]" {
			t.Errorf("%s: %+v", algorithm, claims)
		}
	}
}

// AU-01: alg none in all spellings, and what is not an algorithm at all.
func TestAU01NoneIsRefused(t *testing.T) {
	v := hmacVerifier(t)
	for _, header := range []string{
		`{"alg":"none"}`, `{"alg":"None"}`, `{"alg":"NONE"}`, `{"alg":"nOnE"}`, `{"alg":""}`, `{}`, `{"alg":256}`, `{"alg":["HS256"]}`, `{"alg":null}`,
	} {
		unsigned := encode(header) + "." + encode(goodClaims) + "."
		for _, token := range []string{unsigned, hs256(header, goodClaims)} {
			if check := refusedBy(t, v, token); check != CheckHeader && check != CheckAlgorithm {
				t.Errorf("%s: %q", header, check)
			}
		}
	}
	for _, algorithm := range []string{"none", "PS256", "ES512", "ES256K", "", "HS1"} {
		if _, err := New(Config{Keys: []Key{{Algorithm: algorithm}}, TokenBytesMax: 1}); err == nil {
			t.Errorf("a key for %q was taken", algorithm)
		}
	}
}

// AU-02: a public key is no secret.
func TestAU02APublicKeyAsSecretIsRefused(t *testing.T) {
	for _, algorithm := range []string{"RS256", "ES256", "EdDSA"} {
		public := publicOf(testKeys()[algorithm])
		der, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			t.Fatal(err)
		}
		asPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
		v := newVerifier(t, nil, Key{Algorithm: algorithm, Material: public})
		for name, secret := range map[string][]byte{
			"PEM": asPEM, "PEM without line feed": bytes.TrimSpace(asPEM), "DER": der, "JWK": []byte(`{"kty":"RSA","n":"AQAB"}`),
		} {
			token, err := Mint(SigningKey{Algorithm: "HS256", Private: secret}, Order{User: "alice", Lifetime: time.Minute}, now)
			if err != nil {
				t.Fatal(err)
			}
			if check := refusedBy(t, v, token); check != CheckAlgorithm {
				t.Errorf("%s %s: %q", algorithm, name, check)
			}
		}
	}
}

// AU-03, AUT-5: the right key with another algorithm, for every pair.
func TestAU03TheKeyDecidesTheAlgorithm(t *testing.T) {
	for _, signing := range testAlgorithms {
		token, err := Mint(SigningKey{Algorithm: signing, Private: testKeys()[signing]}, Order{User: "alice", Lifetime: time.Minute}, now)
		if err != nil {
			t.Fatal(err)
		}
		for _, verifying := range testAlgorithms {
			v := newVerifier(t, nil, Key{Algorithm: verifying, Material: publicOf(testKeys()[verifying])})
			want := CheckAlgorithm
			if signing == verifying {
				want = ""
			}
			if check := refusedBy(t, v, token); check != want {
				t.Errorf("signed %s, key %s: %q", signing, verifying, check)
			}
		}
	}
	// The header claims the key's algorithm, the signature is of another.
	if check := refusedBy(t, newVerifier(t, nil, Key{Algorithm: "HS512", Material: []byte(testSecret)}), hs256(`{"alg":"HS512"}`, goodClaims)); check != CheckSignature {
		t.Errorf("a lying header: %q", check)
	}
}

// AU-04: signatures that are not.
func TestAU04BadSignaturesAreRefused(t *testing.T) {
	v := hmacVerifier(t)
	good := hs256(goodHeader, goodClaims)
	signed, signature := good[:strings.LastIndexByte(good, '.')+1], good[strings.LastIndexByte(good, '.')+1:]
	other := hs256(goodHeader, `{"sub":"bob","exp":1790000060}`)
	raw, _ := base64.RawURLEncoding.DecodeString(signature)
	tests := map[string]string{
		"empty": signed, "truncated": signed + base64.RawURLEncoding.EncodeToString(raw[:31]),
		"extra byte":    signed + base64.RawURLEncoding.EncodeToString(append(bytes.Clone(raw), 0)),
		"all zero":      signed + base64.RawURLEncoding.EncodeToString(make([]byte, 32)),
		"another's":     signed + other[strings.LastIndexByte(other, '.')+1:],
		"other claims":  encode(goodHeader) + "." + encode(`{"sub":"root","exp":1790000060}`) + "." + signature,
		"other header":  encode(`{"alg":"HS256"}`) + "." + encode(goodClaims) + "." + signature,
		"bit flipped":   signed + base64.RawURLEncoding.EncodeToString(append([]byte{raw[0] ^ 1}, raw[1:]...)),
		"other's claim": other[:strings.LastIndexByte(other, '.')+1] + signature,
	}
	for name, token := range tests {
		if check := refusedBy(t, v, token); check != CheckSignature {
			t.Errorf("%s: %q", name, check)
		}
	}
	testEllipticSignatures(t)
	testRSASignatures(t)
}

func testEllipticSignatures(t *testing.T) {
	v := newVerifier(t, nil, Key{Algorithm: "ES256", Material: publicOf(testKeys()["ES256"])})
	signed, r, s := es256(t, `{"alg":"ES256"}`, goodClaims)
	order := elliptic.P256().Params().N
	zero := new(big.Int)
	der := append([]byte{0x30, 0x44, 0x02, 0x20}, r.FillBytes(make([]byte, 32))...)
	der = append(append(der, 0x02, 0x20), s.FillBytes(make([]byte, 32))...)
	for name, signature := range map[string]string{
		"r = 0": rawSignature(zero, s), "s = 0": rawSignature(r, zero), "both 0": rawSignature(zero, zero),
		"r = order": rawSignature(order, s), "DER": base64.RawURLEncoding.EncodeToString(der), "swapped": rawSignature(s, r),
	} {
		if check := refusedBy(t, v, signed+"."+signature); check != CheckSignature {
			t.Errorf("ES256 %s: %q", name, check)
		}
	}
	// Both s and order-s are valid by RFC 7518 3.4, and signers make either. A token is nowhere known by its bytes, so
	// that the second form of a signature wins nobody anything.
	for name, s := range map[string]*big.Int{"as made": s, "the other s": new(big.Int).Sub(order, s)} {
		if check := refusedBy(t, v, signed+"."+rawSignature(r, s)); check != "" {
			t.Errorf("ES256 %s: %q", name, check)
		}
	}
}

func testRSASignatures(t *testing.T) {
	key := testKeys()["RS256"].(*rsa.PrivateKey)
	v := newVerifier(t, nil, Key{Algorithm: "RS256", Material: &key.PublicKey})
	signed := encode(`{"alg":"RS256"}`) + "." + encode(goodClaims)
	for name, length := range map[string]int{"zeros": 256, "one short": 255, "one long": 257, "none": 0} {
		if check := refusedBy(t, v, signed+"."+base64.RawURLEncoding.EncodeToString(make([]byte, length))); check != CheckSignature {
			t.Errorf("RS256 %s: %q", name, check)
		}
	}
}

// AU-05, AU-06: the clock. The leeway is 30 s on both sides.
func TestAU05AU06TheClock(t *testing.T) {
	tests := []struct {
		name, claims string
		want         Check
	}{
		{"exp in a minute", `"exp":1790000060`, ""},
		{"exp missing", `"x":1`, CheckClaims},
		{"exp 0", `"exp":0`, CheckClaims},
		{"exp a second ago, within the leeway", `"exp":1789999999`, ""},
		{"exp 29 s ago", `"exp":1789999971`, ""},
		{"exp 30 s ago", `"exp":1789999970`, CheckExpired},
		{"exp 31 s ago", `"exp":1789999969`, CheckExpired},
		{"exp negative", `"exp":-1`, CheckClaims},
		{"exp text", `"exp":"1790000060"`, CheckClaims},
		{"exp 1e300", `"exp":1e300`, CheckClaims},
		{"exp with a fraction", `"exp":1790000060.5`, CheckClaims},
		{"exp 2^63", `"exp":9223372036854775808`, CheckClaims},
		{"exp after the year 9999", `"exp":253402300800`, CheckClaims},
		{"exp null", `"exp":null`, CheckClaims},
		{"exp list", `"exp":[1790000060]`, CheckClaims},
		{"nbf now", `"exp":1790000060,"nbf":1790000000`, ""},
		{"nbf in 30 s", `"exp":1790000060,"nbf":1790000030`, ""},
		{"nbf in 31 s", `"exp":1790000060,"nbf":1790000031`, CheckNotBefore},
		{"nbf text", `"exp":1790000060,"nbf":"1"`, CheckClaims},
		{"iat in 30 s", `"exp":1790000060,"iat":1790000030`, ""},
		{"iat in 31 s", `"exp":1790000060,"iat":1790000031`, CheckIssuedAt},
		{"iat boolean", `"exp":1790000060,"iat":true`, CheckClaims},
		{"expired and not yet valid is not merely expired", `"exp":1,"nbf":1790000099`, CheckNotBefore},
	}
	v := hmacVerifier(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			token := hs256(goodHeader, `{"sub":"alice",`+test.claims+`}`)
			if check := refusedBy(t, v, token); check != test.want {
				t.Errorf("%q, want %q", check, test.want)
			}
			_, err := v.VerifyConnection(token, now)
			if errors.Is(err, authority.ErrExpired) != (test.want == CheckExpired) {
				t.Errorf("ErrExpired: %v", err)
			}
		})
	}
}

// AU-07: issuer and audience, compared whole.
func TestAU07IssuerAndAudience(t *testing.T) {
	tests := []struct {
		name, claims string
		want         Check
	}{
		{"both right", `"iss":"shop","aud":"bellwire"`, ""},
		{"audience in a list", `"iss":"shop","aud":["other","bellwire"]`, ""},
		{"issuer wrong", `"iss":"shap","aud":"bellwire"`, CheckIssuer},
		{"issuer in another case", `"iss":"Shop","aud":"bellwire"`, CheckIssuer},
		{"issuer part", `"iss":"sho","aud":"bellwire"`, CheckIssuer},
		{"issuer missing", `"aud":"bellwire"`, CheckClaims},
		{"issuer list", `"iss":["shop"],"aud":"bellwire"`, CheckClaims},
		{"audience wrong", `"iss":"shop","aud":"billing"`, CheckAudience},
		{"audience part", `"iss":"shop","aud":"bell"`, CheckAudience},
		{"audience in another case", `"iss":"shop","aud":"Bellwire"`, CheckAudience},
		{"audience in a list of others", `"iss":"shop","aud":["a","b"]`, CheckAudience},
		{"audience empty list", `"iss":"shop","aud":[]`, CheckClaims},
		{"audience empty", `"iss":"shop","aud":""`, CheckClaims},
		{"audience missing", `"iss":"shop"`, CheckClaims},
		{"audience number", `"iss":"shop","aud":7`, CheckClaims},
		{"audience list of numbers", `"iss":"shop","aud":[7]`, CheckClaims},
		{"audience null", `"iss":"shop","aud":null`, CheckClaims},
	}
	v := newVerifier(t, func(c *Config) { c.Issuer, c.Audience = "shop", "bellwire" }, Key{Algorithm: "HS256", Material: []byte(testSecret)})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			token := hs256(goodHeader, `{"sub":"alice","exp":1790000060,`+test.claims+`}`)
			if check := refusedBy(t, v, token); check != test.want {
				t.Errorf("%q, want %q", check, test.want)
			}
		})
	}
	// RFC 7519 4.1.3: an audience that nobody here claims to be.
	if check := refusedBy(t, hmacVerifier(t), hs256(goodHeader, `{"sub":"alice","exp":1790000060,"aud":"x"}`)); check != CheckAudience {
		t.Errorf("audience without configuration: %q", check)
	}
	if check := refusedBy(t, hmacVerifier(t), hs256(goodHeader, `{"sub":"alice","exp":1790000060,"iss":"x"}`)); check != "" {
		t.Errorf("issuer without configuration: %q", check)
	}
}

// AU-08: the key id chooses among the configured keys and nothing else.
func TestAU08KeyIDs(t *testing.T) {
	one := Key{ID: "one", Algorithm: "HS256", Material: []byte(testSecret)}
	two := Key{ID: "two", Algorithm: "HS256", Material: []byte(strings.Repeat("x", 32))}
	plain := Key{Algorithm: "HS256", Material: []byte(testSecret)}
	strange := []string{
		`"../../etc/passwd"`, `"https://evil.example/keys"`, `"' OR 1=1 --"`, `"\u0000"`, `"\n"`, `""`, `"ONE"`, `"one "`, `"` + strings.Repeat("a", 64) + `"`,
	}
	for _, kid := range strange {
		if check := refusedBy(t, newVerifier(t, nil, one, two), hs256(`{"alg":"HS256","kid":`+kid+`}`, goodClaims)); check != CheckKey {
			t.Errorf("kid %s: %q", kid, check)
		}
	}
	tests := []struct {
		name, header string
		keys         []Key
		want         Check
	}{
		{"the right one", `{"alg":"HS256","kid":"one"}`, []Key{one, two}, ""},
		{"another's", `{"alg":"HS256","kid":"two"}`, []Key{one, two}, CheckSignature},
		{"none, two keys with ids", `{"alg":"HS256"}`, []Key{one, two}, CheckKey},
		{"none, one key with id", `{"alg":"HS256"}`, []Key{one}, ""},
		{"none, a key without id", `{"alg":"HS256"}`, []Key{plain, two}, ""},
		{"unknown, one key without id", `{"alg":"HS256","kid":"x"}`, []Key{plain}, CheckKey},
		{"number", `{"alg":"HS256","kid":1}`, []Key{one}, CheckHeader},
		{"null", `{"alg":"HS256","kid":null}`, []Key{one}, CheckHeader},
		{"65 bytes", `{"alg":"HS256","kid":"` + strings.Repeat("a", 65) + `"}`, []Key{one}, CheckHeader},
		{"a megabyte", `{"alg":"HS256","kid":"` + strings.Repeat("a", 1<<20) + `"}`, []Key{one}, CheckSize},
		{"no keys at all", `{"alg":"HS256"}`, nil, CheckKey},
	}
	for _, test := range tests {
		if check := refusedBy(t, newVerifier(t, nil, test.keys...), hs256(test.header, goodClaims)); check != test.want {
			t.Errorf("%s: %q, want %q", test.name, check, test.want)
		}
	}
	if _, err := New(Config{Keys: []Key{one, one}, TokenBytesMax: 1}); err == nil {
		t.Error("two keys of one id were taken")
	}
}

// AU-09: what a header may say besides alg and kid.
func TestAU09HeaderParameters(t *testing.T) {
	v := hmacVerifier(t)
	for header, want := range map[string]Check{
		`"jwk":{"kty":"oct","k":"AA"}`:             "",
		`"jku":"https://evil.example/keys"`:        "",
		`"x5u":"https://evil.example/cert"`:        "",
		`"x5c":["MIIB"]`:                           "",
		`"crit":["exp"]`:                           CheckHeader,
		`"crit":[]`:                                CheckHeader,
		`"b64":false`:                              CheckHeader,
		`"zip":"DEF"`:                              CheckHeader,
		`"enc":"A256GCM"`:                          CheckHeader,
		`"cty":"JWT"`:                              CheckHeader,
		`"typ":"at+jwt"`:                           CheckHeader,
		`"typ":7`:                                  CheckHeader,
		`"typ":"jwt"`:                              "",
		`"alg":"HS256"`:                            CheckHeader, // twice
		`"x":` + strings.Repeat("[", 9) + `"`:      CheckHeader,
		`"x":[[[[[[[1]]]]]]]`:                      "",
		`"x":[[[[[[[[1]]]]]]]]`:                    CheckHeader,
		`"jwk":{"kty":"oct","k":"AA"},"kid":"jwk"`: CheckKey,
	} {
		if check := refusedBy(t, v, hs256(`{"alg":"HS256",`+header+`}`, goodClaims)); check != want {
			t.Errorf("%s: %q, want %q", header, check, want)
		}
	}
}

// AU-10: size and shape, before anything is parsed.
func TestAU10SizeAndShape(t *testing.T) {
	v := hmacVerifier(t)
	good := hs256(goodHeader, goodClaims)
	padded := func(total int) string {
		claims := `{"sub":"alice","exp":1790000060,"x":"`
		for n := total - len(hs256(goodHeader, claims+`"}`)) - 2048; ; n++ {
			if token := hs256(goodHeader, claims+strings.Repeat("x", max(n, 0))+`"}`); len(token) >= total {
				return token
			}
		}
	}
	tests := []struct {
		name, token string
		want        Check
	}{
		{"8 KiB", padded(8 << 10), ""},
		{"8 KiB and one", padded(8<<10 + 1), CheckSize},
		{"a megabyte of dots", strings.Repeat(".", 1<<20), CheckSize},
		{"8 KiB of dots", strings.Repeat(".", 8<<10), CheckShape},
		{"empty", "", CheckShape},
		{"one dot", "a.b", CheckShape},
		{"three dots", good + ".x", CheckShape},
		{"two dots alone", "..", CheckHeader},
		{"padding", encode(goodHeader) + "=." + encode(goodClaims) + ".AA", CheckShape},
		{"not canonical base64", strings.TrimSuffix(good, good[len(good)-1:]) + nonCanonical(good[len(good)-1]), CheckShape},
		{"space before it", " " + good, CheckShape},
		{"space after it", good + " ", CheckShape},
		{"line feed after it", good + "\n", CheckShape},
		{"line feed inside", good[:9] + "\n" + good[9:], CheckShape},
		{"standard alphabet", strings.Replace(good, ".", "+.", 1), CheckShape},
		{"control character", good + "\x00", CheckShape},
		{"header that is no JSON", encode("x") + "." + encode(goodClaims) + ".AA", CheckHeader},
		{"header that is a list", encode("[]") + "." + encode(goodClaims) + ".AA", CheckHeader},
		{"claims that are no JSON", hs256(goodHeader, "x"), CheckClaims},
		{"claims that are a list", hs256(goodHeader, "[]"), CheckClaims},
		{"good", good, ""},
	}
	for _, test := range tests {
		if check := refusedBy(t, v, test.token); check != test.want {
			t.Errorf("%s: %q, want %q", test.name, check, test.want)
		}
	}
	if length := len(padded(8 << 10)); length != 8<<10 {
		t.Errorf("the token of 8 KiB has %d bytes", length)
	}
	huge := strings.Repeat(".", 1<<20)
	if allocated := testing.AllocsPerRun(10, func() { _, _ = v.VerifyConnection(huge, now) }); allocated > 4 {
		t.Errorf("%v allocations for a megabyte of dots", allocated)
	}
}

// nonCanonical is another letter for the last one of a 32-byte signature, which decodes to the same bytes.
func nonCanonical(last byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, last)^1])
}

// AU-11: what two parsers could read in two ways, and what is too much.
func TestAU11DuplicatesDepthAndCounts(t *testing.T) {
	v := hmacVerifier(t)
	grants := func(n int, channel string) string {
		return `"allow":[{"channels":[` + strings.TrimSuffix(strings.Repeat(`"`+channel+`",`, n), ",") + `],"actions":["subscribe"]}]`
	}
	large := newVerifier(t, func(c *Config) { c.TokenBytesMax = 1 << 20 }, Key{Algorithm: "HS256", Material: []byte(testSecret)})
	tests := []struct {
		name, claims string
		want         Check
	}{
		{"duplicate claim", `"sub":"alice","sub":"root"`, CheckClaims},
		{"duplicate by escape", `"sub":"alice","\u0073ub":"root"`, CheckClaims},
		{"duplicate deep inside", `"sub":"alice","x":{"a":1,"a":2}`, CheckClaims},
		{"depth 100", `"sub":"alice","x":` + strings.Repeat("[", 99) + strings.Repeat("]", 99), CheckClaims},
		{"sub missing", `"x":1`, CheckClaims},
		{"sub empty", `"sub":""`, CheckClaims},
		{"sub number", `"sub":7`, CheckClaims},
		{"sub of the server's kind", `"sub":"~x"`, CheckClaims},
		{"sub with a line feed", `"sub":"a\nb"`, CheckClaims},
		{"sub of 256 bytes", `"sub":"` + strings.Repeat("a", 256) + `"`, CheckClaims},
		{"jti number", `"sub":"alice","jti":7`, CheckClaims},
		{"info text", `"sub":"alice","info":"x"`, CheckClaims},
		{"info of 1 KiB", `"sub":"alice","info":{"x":"` + strings.Repeat("a", 1024-8) + `"}`, ""},
		{"info of 1 KiB and one", `"sub":"alice","info":{"x":"` + strings.Repeat("a", 1024-7) + `"}`, CheckClaims},
		{"allow text", `"sub":"alice","allow":"chat:*"`, CheckClaims},
		{"allow of 1,000 channels", `"sub":"alice",` + grants(1000, "a"), ""},
		{"allow of 1,001 channels", `"sub":"alice",` + grants(1001, "a"), CheckClaims},
		{"allow of 30,000 channels", `"sub":"alice",` + grants(30000, "a"), CheckClaims},
		{"allow of 1,001 grants", `"sub":"alice","allow":[` + strings.TrimSuffix(strings.Repeat(`{},`, 1001), ",") + `]`, CheckClaims},
		{"grant without actions", `"sub":"alice","allow":[{"channels":["a"]}]`, CheckClaims},
		{"grant without channels", `"sub":"alice","allow":[{"actions":["publish"]}]`, CheckClaims},
		{"grant with an unknown field", `"sub":"alice","allow":[{"channels":["a"],"actions":[],"deny":[]}]`, CheckClaims},
		{"grant of an unknown action", `"sub":"alice","allow":[{"channels":["a"],"actions":["admin"]}]`, CheckClaims},
		{"grant of a bad name", `"sub":"alice","allow":[{"channels":["a b"],"actions":["publish"]}]`, CheckClaims},
		{"grant of a bad pattern", `"sub":"alice","allow":[{"channels":["*a"],"actions":["publish"]}]`, CheckClaims},
		{"claims nobody knows", `"sub":"alice","email":"a@example.com","x":null`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if check := refusedBy(t, large, hs256(goodHeader, `{"exp":1790000060,`+test.claims+`}`)); check != test.want {
				t.Errorf("%q, want %q", check, test.want)
			}
		})
	}
	if check := refusedBy(t, v, hs256(`{"alg":"none","alg":"HS256"}`, goodClaims)); check != CheckHeader {
		t.Errorf("duplicate header: %q", check)
	}
}
