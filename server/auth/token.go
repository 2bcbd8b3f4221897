package auth

import (
	"encoding/base64"
	"strings"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/server/document"
)

const (
	documentDepthMax = 8  // of header and claims
	keyIDBytesMax    = 64 // of the kid header
)

// token is a JWT whose parts have been taken apart and not yet been believed (RFC 7515 7.1).
type token struct {
	signed    string // what the signature covers
	signature []byte

	algorithm string
	keyID     string
	hasKeyID  bool

	claims *document.Object
}

var strictBase64 = base64.RawURLEncoding.Strict()

// parse takes a token apart. Everything that costs is behind the size and the dots (VC-33).
func parse(text string, bytesMax int) (*token, *Error) {
	if len(text) > bytesMax {
		return nil, refuse(CheckSize, "")
	}
	if strings.Count(text, ".") != 2 {
		return nil, refuse(CheckShape, "not three parts")
	}
	header, rest, _ := strings.Cut(text, ".")
	claims, signature, _ := strings.Cut(rest, ".")
	if strings.ContainsAny(text, "\r\n") {
		return nil, refuse(CheckShape, "line feed") // the decoder would skip it
	}
	headerBytes, headerErr := strictBase64.DecodeString(header)
	claimsBytes, claimsErr := strictBase64.DecodeString(claims)
	signatureBytes, signatureErr := strictBase64.DecodeString(signature)
	if headerErr != nil || claimsErr != nil || signatureErr != nil {
		return nil, refuse(CheckShape, "not canonical base64url")
	}
	t := &token{signed: text[:len(header)+1+len(claims)], signature: signatureBytes}
	if err := t.readHeader(headerBytes); err != nil {
		return nil, err
	}
	t.claims = document.Parse(claimsBytes, documentDepthMax)
	return t, nil
}

// readHeader takes alg and kid. Keys and addresses of keys in the header (jwk, jku, x5u, x5c) are as if they were not
// there; what changes the meaning of the rest (crit, b64, zip, enc) is refused (RFC 7515 4.1.11, AU-09).
func (t *token) readHeader(text []byte) *Error {
	header := document.Parse(text, documentDepthMax)
	t.algorithm = header.Text("alg")
	t.keyID, t.hasKeyID = header.OptionalText("kid")
	kind, hasKind := header.OptionalText("typ")
	contentType, hasContentType := header.OptionalText("cty")
	if err := header.Err(); err != nil {
		return refuse(CheckHeader, realtime.AsError(err).Message)
	}
	for _, name := range []string{"crit", "b64", "zip", "enc"} {
		if header.Has(name) {
			return refuse(CheckHeader, name+" is not supported")
		}
	}
	if hasKind && !strings.EqualFold(kind, "JWT") || hasContentType && contentType != "" {
		return refuse(CheckHeader, "not a plain JWT by typ or cty")
	}
	if len(t.keyID) > keyIDBytesMax {
		return refuse(CheckHeader, "kid is longer than 64 bytes")
	}
	return nil
}
