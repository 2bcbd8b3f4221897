package config

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"unicode"
)

const (
	secretBytesMin = 32 // RFC 7518 3.2: as long as the hash
	apiKeyBytesMin = 24
	rsaBitsMin     = 2048
	rsaBitsMax     = 8192 // more costs a verifier too much
)

// sampleSecrets are printed in documents and tutorials, so that everybody knows them (AU-23).
var sampleSecrets = []string{
	DevSecret,
	"your-256-bit-secret",
	"your-512-bit-secret-your-512-bit-secret-your-512-bit-secret-xxxx",
	"a-string-secret-at-least-256-bits-long",
	"a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
	"change-me-change-me-change-me-change-me",
	"replace-this-with-the-output-of-openssl-rand-hex-32",
}

// readFiles puts the content of files that hold secrets and keys where the values are.
func (c *Config) readFiles() error {
	if err := readSecretFile("tokens.hmac_secret", c.Tokens.HMACSecretFile, &c.Tokens.HMACSecret); err != nil {
		return err
	}
	for i := range c.Tokens.Keys {
		key := &c.Tokens.Keys[i]
		name := fmt.Sprintf("tokens.keys[%d].", i)
		if err := readSecretFile(name+"secret", key.SecretFile, &key.Secret); err != nil {
			return err
		}
		if err := readSecretFile(name+"public_key", key.PublicKeyFile, &key.PublicKey); err != nil {
			return err
		}
	}
	if c.API.KeysFile == "" {
		return nil
	}
	content, err := os.ReadFile(c.API.KeysFile)
	if err != nil {
		return fmt.Errorf("api.keys_file: %w", err)
	}
	c.API.Keys = append(slices.Clone(c.API.Keys), strings.Fields(string(content))...)
	return nil
}

func readSecretFile(key, path string, value *string) error {
	if path == "" {
		return nil
	}
	if *value != "" && *value != DevSecret {
		return fmt.Errorf("%s and %s_file are both given", key, key)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("%s_file: %w", key, err)
	}
	*value = strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r")
	return nil
}

func (c *Config) validateTokens() error {
	if secret := c.Tokens.HMACSecret; secret != "" {
		if err := c.checkSecret(secret); err != nil {
			return fmt.Errorf("tokens.hmac_secret %w", err)
		}
	}
	ids := make(map[string]bool)
	if c.Tokens.HMACSecret != "" {
		ids[""] = true
	}
	for i, key := range c.Tokens.Keys {
		if ids[key.ID] {
			return fmt.Errorf("tokens.keys[%d].id is %q like another key's; the id says which key signed a token", i, key.ID)
		}
		ids[key.ID] = true
		if err := c.validateKey(key); err != nil {
			return fmt.Errorf("tokens.keys[%d]%w", i, err)
		}
	}
	return nil
}

func (c *Config) validateKey(key Key) error {
	if len(key.ID) > 64 || strings.ContainsFunc(key.ID, unicode.IsControl) {
		return errors.New(".id is longer than 64 bytes or has a control character")
	}
	if strings.HasPrefix(key.Algorithm, "HS") {
		if key.PublicKey != "" {
			return fmt.Errorf(".public_key does not go with %s", key.Algorithm)
		}
		if err := c.checkSecret(key.Secret); err != nil {
			return fmt.Errorf(".secret %w", err)
		}
	} else if key.Secret != "" {
		return fmt.Errorf(".secret does not go with %q", key.Algorithm)
	}
	_, err := key.Material()
	return err
}

// checkSecret refuses what is guessable (AU-23, VC-31, VC-35). The error never shows the secret.
func (c *Config) checkSecret(secret string) error {
	switch {
	case c.Dev && secret == DevSecret:
		return nil
	case slices.Contains(sampleSecrets, secret):
		return errors.New("is a sample from a document that everybody knows; make one with: openssl rand -hex 32")
	case len(secret) < secretBytesMin:
		return fmt.Errorf("has %d bytes and needs at least %d; make one with: openssl rand -hex 32", len(secret), secretBytesMin)
	case strings.Contains(secret, "-----BEGIN"):
		return errors.New("is a PEM file; a public key as a secret would let everybody sign (use tokens.keys with public_key)")
	case strings.HasPrefix(strings.TrimSpace(secret), `{"`) && strings.Contains(secret, `"kty"`):
		return errors.New("is a JSON web key; a public key as a secret would let everybody sign (use tokens.keys with public_key)")
	case strings.Count(secret, secret[:1]) == len(secret):
		return errors.New("is one letter over and over; make one with: openssl rand -hex 32")
	}
	return nil
}

func (c *Config) validateAPIKeys() error {
	seen := make(map[[sha256.Size]byte]bool)
	for i, key := range c.API.Keys {
		if c.Dev && key == DevAPIKey {
			continue
		}
		if len(key) < apiKeyBytesMin || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return fmt.Errorf("api.keys[%d] must have at least %d bytes of printable ASCII without spaces; make one with: openssl rand -hex 32", i, apiKeyBytesMin)
		}
		if subtle.ConstantTimeCompare([]byte(key), []byte(c.Tokens.HMACSecret)) == 1 {
			return fmt.Errorf("api.keys[%d] is the secret of the tokens too; use two", i)
		}
		sum := sha256.Sum256([]byte(key))
		if seen[sum] {
			return fmt.Errorf("api.keys[%d] is there twice", i)
		}
		seen[sum] = true
	}
	return nil
}

func checkRSA(key *rsa.PublicKey) error {
	if bits := key.N.BitLen(); bits < rsaBitsMin || bits > rsaBitsMax {
		return fmt.Errorf("is an RSA key of %d bits, and must have from %d to %d", bits, rsaBitsMin, rsaBitsMax)
	}
	return nil
}
