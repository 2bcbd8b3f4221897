package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"sync"
	"testing"
	"time"
)

// now is the clock of all tests: 2026-09-21T14:13:20Z.
var now = time.Unix(1_790_000_000, 0)

const testSecret = "0123456789abcdef0123456789abcdef"

// testKeys are made once: one private key of each kind.
var testKeys = sync.OnceValue(func() map[string]any {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		panic(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	secret := []byte(testSecret)
	return map[string]any{
		"HS256": secret, "HS384": secret, "HS512": secret,
		"RS256": rsaKey, "RS384": rsaKey, "RS512": rsaKey,
		"ES256": p256, "ES384": p384, "EdDSA": ed,
	}
})

var testAlgorithms = []string{"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "EdDSA"}

func publicOf(private any) any {
	if signer, ok := private.(crypto.Signer); ok {
		return signer.Public()
	}
	return private
}

func newVerifier(t *testing.T, change func(*Config), keys ...Key) *Verifier {
	t.Helper()
	config := Config{Keys: keys, Leeway: 30 * time.Second, TokenBytesMax: 8 << 10}
	if change != nil {
		change(&config)
	}
	v, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// hmacVerifier knows testSecret for HS256, without a key id.
func hmacVerifier(t *testing.T) *Verifier {
	return newVerifier(t, nil, Key{Algorithm: "HS256", Material: []byte(testSecret)})
}

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// hs256 signs literal header and claims, whatever they say.
func hs256(header, claims string) string { return signHS256(encode(header) + "." + encode(claims)) }

func signHS256(signed string) string {
	mac := hmac.New(sha256.New, []byte(testSecret))
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// es256 signs like hs256, and returns r and s too.
func es256(t *testing.T, header, claims string) (signed string, r, s *big.Int) {
	t.Helper()
	signed = encode(header) + "." + encode(claims)
	sum := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, testKeys()["ES256"].(*ecdsa.PrivateKey), sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return signed, r, s
}

func rawSignature(r, s *big.Int) string {
	raw := make([]byte, 64)
	r.FillBytes(raw[:32])
	s.FillBytes(raw[32:])
	return base64.RawURLEncoding.EncodeToString(raw)
}
