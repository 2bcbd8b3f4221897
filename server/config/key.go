package config

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
)

// Algorithms a key may have (AUT-5).
var algorithms = []string{"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "EdDSA"}

// Material returns what verifies a signature: []byte for HS, otherwise the public key of the algorithm's own type.
func (k *Key) Material() (any, error) {
	if !slices.Contains(algorithms, k.Algorithm) {
		return nil, fmt.Errorf(".algorithm is %q, and must be one of %v", k.Algorithm, algorithms)
	}
	if k.Algorithm[:2] == "HS" {
		return []byte(k.Secret), nil
	}
	public, err := parsePublicKey(k.PublicKey)
	if err == nil {
		err = checkAlgorithm(k.Algorithm, public)
	}
	if err != nil {
		return nil, fmt.Errorf(".public_key %w", err)
	}
	return public, nil
}

func parsePublicKey(text string) (any, error) {
	block, rest := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("is not a PEM file")
	}
	if next, _ := pem.Decode(rest); next != nil {
		return nil, errors.New("holds more than one PEM block")
	}
	switch block.Type {
	case "PUBLIC KEY":
		return x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		return x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		return certificate.PublicKey, nil
	}
	return nil, fmt.Errorf("is a PEM block of type %q, not a public key", block.Type)
}

func checkAlgorithm(algorithm string, public any) error {
	switch key := public.(type) {
	case *rsa.PublicKey:
		if algorithm[:2] != "RS" {
			break
		}
		return checkRSA(key)
	case *ecdsa.PublicKey:
		if algorithm == "ES256" && key.Curve == elliptic.P256() || algorithm == "ES384" && key.Curve == elliptic.P384() {
			return nil
		}
	case ed25519.PublicKey:
		if algorithm == "EdDSA" && len(key) == ed25519.PublicKeySize {
			return nil
		}
	}
	return fmt.Errorf("is not a key for %s", algorithm)
}
