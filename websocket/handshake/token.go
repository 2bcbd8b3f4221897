package handshake

import "strings"

// isToken reports whether s is a token (RFC 9110 5.6.2): what a subprotocol, an
// extension and its parameters must be.
func isToken(s string) bool {
	for i := range len(s) {
		if !isTokenByte(s[i]) {
			return false
		}
	}
	return len(s) > 0
}

func isTokenByte(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return c != 0 && strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

// trim removes the optional white space of HTTP: spaces and tabs.
func trim(s string) string { return strings.Trim(s, " \t") }

// hasToken reports whether one of the comma-separated lists holds the token,
// whatever its case.
func hasToken(values []string, token string) bool {
	for _, list := range values {
		for item := range strings.SplitSeq(list, ",") {
			if strings.EqualFold(trim(item), token) {
				return true
			}
		}
	}
	return false
}
