package handshake

import (
	"fmt"
	"strconv"
	"strings"
)

// origin is a scheme, a host and a port (RFC 6454 4), in lower case and with the
// scheme's default port filled in.
type origin struct{ scheme, host, port string }

// Origins is a list of origins, exact or with wildcards, from which browsers
// may connect.
type Origins []origin

// anyLabels stands for one or more labels before the rest of a host name,
// anyPort for every port.
const (
	anyLabels = "*."
	anyPort   = "*"
)

// ParseOrigins reads patterns such as "https://example.com",
// "https://*.example.com", "http://localhost:*" and "null".
func ParseOrigins(patterns []string) (Origins, error) {
	origins := make(Origins, 0, len(patterns))
	for _, pattern := range patterns {
		plain, everyPort := strings.CutSuffix(pattern, ":"+anyPort)
		scheme, rest, everyLabel := strings.Cut(plain, "://"+anyLabels)
		if everyLabel {
			plain = scheme + "://" + rest
		}
		o, ok := parseOrigin(plain)
		if !ok {
			return nil, fmt.Errorf("websocket: origin pattern %q: want scheme://host or scheme://host:port", pattern)
		}
		if everyLabel {
			o.host = anyLabels + o.host
		}
		if everyPort {
			o.port = anyPort
		}
		origins = append(origins, o)
	}
	return origins, nil
}

// match reports whether the list has the origin.
func (list Origins) match(o origin) bool {
	for _, allowed := range list {
		if allowed.matches(o) {
			return true
		}
	}
	return false
}

func (pattern origin) matches(o origin) bool {
	switch {
	case pattern.scheme != o.scheme:
		return false
	case pattern.port != o.port && pattern.port != anyPort:
		return false
	case strings.HasPrefix(pattern.host, anyLabels):
		suffix := pattern.host[len(anyLabels)-1:] // with its dot
		return len(o.host) > len(suffix) && strings.HasSuffix(o.host, suffix)
	}
	return pattern.host == o.host
}

// parseOrigin reads the serialisation of an origin and nothing else: no path,
// no user, no list. What a browser would not send is not an origin.
func parseOrigin(s string) (origin, bool) {
	if s == "null" {
		return origin{scheme: "null"}, true
	}
	scheme, authority, ok := strings.Cut(s, "://")
	if !ok || !isToken(scheme) {
		return origin{}, false
	}
	host, port, ok := splitAuthority(authority)
	if !ok {
		return origin{}, false
	}
	o := origin{scheme: strings.ToLower(scheme), host: host, port: port}
	if o.port == "" {
		o.port = defaultPort(o.scheme)
	}
	return o, true
}

func defaultPort(scheme string) string {
	switch scheme {
	case "http":
		return "80"
	case "https":
		return "443"
	}
	return ""
}

// splitAuthority reads "host", "host:port", "[v6]" or "[v6]:port" into a host in
// lower case and a port, which is "" where there is none.
func splitAuthority(s string) (host, port string, ok bool) {
	host = s
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 || !validIPv6(s[1:end]) {
			return "", "", false
		}
		host, port = s[:end+1], s[end+1:]
	} else {
		if colon := strings.IndexByte(s, ':'); colon >= 0 {
			host, port = s[:colon], s[colon:]
		}
		if !validName(host) {
			return "", "", false
		}
	}
	if port != "" {
		if port[0] != ':' || !validPort(port[1:]) {
			return "", "", false
		}
		port = port[1:]
	}
	return strings.ToLower(host), port, true
}

func validPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0 && s[0] != '0'
}

// validName takes the letters of host names, with the underscore that local
// names have. Names in other scripts are punycode on the wire.
func validName(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return len(s) > 0 && len(s) <= 255
}

func validIPv6(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'f', 'A' <= c && c <= 'F':
		case c == ':', c == '.':
		default:
			return false
		}
	}
	return len(s) >= 2 && strings.Contains(s, ":")
}
