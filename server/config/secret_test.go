package config

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
)

func publicPEM(t *testing.T, public any) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// AU-23, VC-31, VC-35: what is guessable or public does not start.
func TestAU23WeakSecretsAreRefused(t *testing.T) {
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ecPEM := publicPEM(t, &ecKey.PublicKey)
	tests := []struct{ name, secret, want string }{
		{"31 bytes", strings.Repeat("ab", 15) + "c", "needs at least 32"},
		{"sample of this project", DevSecret, "is a sample"},
		{"sample of a website", "a-string-secret-at-least-256-bits-long", "is a sample"},
		{"sample of the example file", "replace-this-with-the-output-of-openssl-rand-hex-32", "is a sample"},
		{"PEM text", ecPEM, "PEM file"},
		{"PEM text after a space", " " + ecPEM, "PEM file"},
		{"JSON web key", `{"kty":"EC","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAA"}`, "JSON web key"},
		{"one letter", strings.Repeat("a", 64), "one letter"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, cfg := range []Config{
				withTokens(Tokens{HMACSecret: test.secret}),
				withTokens(Tokens{Keys: []Key{{ID: "a", Algorithm: "HS256", Secret: test.secret}}}),
			} {
				err := cfg.Validate()
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v, want %q", err, test.want)
				}
				if err != nil && strings.Contains(err.Error(), test.secret) {
					t.Error("the error shows the secret")
				}
			}
		})
	}
	ok := withTokens(Tokens{HMACSecret: strings.Repeat("ab", 16)})
	if err := ok.Validate(); err != nil {
		t.Errorf("32 bytes: %v", err)
	}
}

func withTokens(tokens Tokens) Config {
	cfg := Default()
	tokens.Leeway, tokens.FailuresPerMinute = cfg.Tokens.Leeway, cfg.Tokens.FailuresPerMinute
	cfg.Tokens = tokens
	return cfg
}

// AU-23, VC-33: a key has the type and the size of its algorithm when it is loaded.
func TestAU23KeysMustFitTheirAlgorithm(t *testing.T) {
	t.Setenv("GODEBUG", "rsa1024min=0")
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	good, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	edPublic, _, _ := ed25519.GenerateKey(rand.Reader)
	large := rsa.PublicKey{N: good.N, E: good.E}
	large.N = large.N.Lsh(good.N, 8193-2048)
	large.N.SetBit(large.N, 0, 1)
	good2, _ := rsa.GenerateKey(rand.Reader, 2048)
	tests := []struct {
		name string
		key  Key
		want string
	}{
		{"RSA 1024", Key{Algorithm: "RS256", PublicKey: publicPEM(t, &small.PublicKey)}, "1024 bits"},
		{"RSA 8193", Key{Algorithm: "RS256", PublicKey: publicPEM(t, &large)}, "8193 bits"},
		{"RSA 2048", Key{Algorithm: "RS512", PublicKey: publicPEM(t, &good2.PublicKey)}, ""},
		{"P-256 for ES256", Key{Algorithm: "ES256", PublicKey: publicPEM(t, &p256.PublicKey)}, ""},
		{"P-384 for ES384", Key{Algorithm: "ES384", PublicKey: publicPEM(t, &p384.PublicKey)}, ""},
		{"P-384 for ES256", Key{Algorithm: "ES256", PublicKey: publicPEM(t, &p384.PublicKey)}, "not a key for ES256"},
		{"P-256 for RS256", Key{Algorithm: "RS256", PublicKey: publicPEM(t, &p256.PublicKey)}, "not a key for RS256"},
		{"Ed25519 for EdDSA", Key{Algorithm: "EdDSA", PublicKey: publicPEM(t, edPublic)}, ""},
		{"Ed25519 for ES256", Key{Algorithm: "ES256", PublicKey: publicPEM(t, edPublic)}, "not a key for ES256"},
		{"no key", Key{Algorithm: "ES256"}, "not a PEM file"},
		{"two keys in one file", Key{Algorithm: "EdDSA", PublicKey: publicPEM(t, edPublic) + publicPEM(t, edPublic)}, "more than one"},
		{"a private key", Key{Algorithm: "EdDSA", PublicKey: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}, "not a public key"},
		{"garbage in PEM", Key{Algorithm: "EdDSA", PublicKey: "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"}, "public_key"},
		{"none", Key{Algorithm: "none"}, ".algorithm is"},
		{"PS256", Key{Algorithm: "PS256", PublicKey: publicPEM(t, &good2.PublicKey)}, ".algorithm is"},
		{"empty algorithm", Key{}, ".algorithm is"},
		{"secret for ES256", Key{Algorithm: "ES256", Secret: strings.Repeat("ab", 16)}, ".secret does not go"},
		{"public key for HS256", Key{Algorithm: "HS256", Secret: strings.Repeat("ab", 16), PublicKey: "x"}, ".public_key does not go"},
		{"id with a line feed", Key{ID: "a\nb", Algorithm: "HS256", Secret: strings.Repeat("ab", 16)}, ".id"},
		{"id of 65 bytes", Key{ID: strings.Repeat("a", 65), Algorithm: "HS256", Secret: strings.Repeat("ab", 16)}, ".id"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cfg := withTokens(Tokens{Keys: []Key{test.key}})
			err := cfg.Validate()
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestTwoKeysHaveTwoIDs(t *testing.T) {
	secret := strings.Repeat("ab", 16)
	for _, tokens := range []Tokens{
		{HMACSecret: secret, Keys: []Key{{Algorithm: "HS384", Secret: secret}}},
		{Keys: []Key{{ID: "a", Algorithm: "HS256", Secret: secret}, {ID: "a", Algorithm: "HS512", Secret: secret}}},
	} {
		cfg := withTokens(tokens)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "like another key's") {
			t.Errorf("got %v", err)
		}
	}
}

func TestWeakAPIKeysAreRefused(t *testing.T) {
	for name, keys := range map[string][]string{
		"at least 24 bytes":             {"short"},
		"at least 24 bytes of":          {"dev"},
		"printable ASCII":               {"key with a space 0123456789ab"},
		"is the secret of the tokens":   {strings.Repeat("ab", 16)},
		"is there twice":                {"abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrstuvwxyz"},
		"bytes of printable ASCII with": {"schlüssel-0123456789abcdef"},
	} {
		cfg := withTokens(Tokens{HMACSecret: strings.Repeat("ab", 16)})
		cfg.API.Keys = keys
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%q: got %v, want %q", keys, err, name)
		}
	}
}

// VC-36: what check prints shows no secret, and can be loaded again but for them.
func TestCheckShowsNoSecret(t *testing.T) {
	const canary = "canary-0123456789-0123456789-0123456789"
	cfg := withTokens(Tokens{HMACSecret: canary, Keys: []Key{{ID: "a", Algorithm: "HS256", Secret: canary + "2"}}})
	cfg.API.Keys = []string{canary + "3"}
	chat := DefaultNamespace()
	cfg.Namespaces = map[string]Namespace{"chat": chat, "": chat}
	text, _ := cfg.Check()
	if strings.Contains(text, "canary") {
		t.Error(text)
	}
	for _, want := range []string{"listen: 127.0.0.1:8000", "message_bytes: 64KiB", "ping: 25s", "hmac_secret: (set, not shown)", "  chat:\n", `  "":`} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	plain := Default()
	plain.Namespaces = cfg.Namespaces
	text, _ = plain.Check()
	again, err := loadYAML(t, text)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if text2, _ := again.Check(); text2 != text {
		t.Errorf("not the same again:\n%s\n%s", text, text2)
	}
}

func TestWarningsNameWhatIsUnsafe(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"nothing configured", func(*Config) {}, "nobody can connect"},
		{"no namespaces", func(*Config) {}, "no channel exists"},
		{"no API key", func(*Config) {}, "nobody can use the HTTP API"},
		{"anonymous", func(c *Config) { c.AllowAnonymous = true }, "anonymous connections are let in"},
		{"public without TLS", func(c *Config) { c.Listen = "0.0.0.0:80" }, "without TLS"},
		{"public API", func(c *Config) { c.Listen = ":80" }, "the API is served on the public address"},
		{"open metrics", func(c *Config) { c.Listen, c.MetricsOpen = ":80", true }, "metrics_open"},
		{"internal for all", func(c *Config) { c.InternalListen = "0.0.0.0:9" }, "every network can reach it"},
		{"profiles", func(c *Config) { c.InternalListen, c.InternalDebug = "127.0.0.1:9", true }, "they hold names and data of clients"},
		{"plain origin", func(c *Config) { c.AllowedOrigins = []string{"http://example.com"} }, "is not https"},
		{"demo", func(c *Config) { c.Demo = true }, "the demo is served"},
		{"development", func(c *Config) { *c = devDefault() }, "development mode"},
		{"anyone publishes", func(c *Config) {
			c.AllowAnonymous = true
			n := DefaultNamespace()
			n.Allow.Publish = "anyone"
			c.Namespaces = map[string]Namespace{"chat": n}
		}, "namespaces.chat.allow.publish is anyone"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cfg := Default()
			test.change(&cfg)
			if got := strings.Join(cfg.Warnings(), "\n"); !strings.Contains(got, test.want) {
				t.Errorf("%q is missing in\n%s", test.want, got)
			}
		})
	}
	safe := withTokens(Tokens{HMACSecret: strings.Repeat("ab", 16)})
	safe.API.Keys = []string{"abcdefghijklmnopqrstuvwxyz"}
	safe.Namespaces = map[string]Namespace{"chat": DefaultNamespace()}
	if got := safe.Warnings(); len(got) > 0 {
		t.Errorf("a safe configuration is warned of: %q", got)
	}
}
