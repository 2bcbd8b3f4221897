package transport

import (
	"net/http"
	"slices"
	"strings"
)

// Guard bounds what a request's head may be, beyond the bytes that http.Server counts, before anybody looks at it.
type Guard struct {
	HeaderLinesMax int
	LineBytesMax   int
	URLBytesMax    int
	CookiesMax     int
	Hosts          []string // names by which the server may be called; empty: any

	// Refused counts what was refused by its status; nil is allowed.
	Refused func(status int)
}

// Wrap returns next behind the guard. Whatever is refused closes the connection (VC-22).
func (g *Guard) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TransferEncoding) > 0 {
			// RFC 9112 6.1: after a request that has a length too, the connection must be closed, and net/http has forgotten
			// whether it had one.
			w.Header().Set("Connection", "close")
		}
		if g.allows(w, r) {
			next.ServeHTTP(w, r)
		}
	})
}

// allows reports whether a request may pass. One that may not is answered.
func (g *Guard) allows(w http.ResponseWriter, r *http.Request) bool {
	status, reason := g.check(r)
	if status == 0 {
		return true
	}
	if g.Refused != nil {
		g.Refused(status)
	}
	closeAfter(w, r)
	http.Error(w, reason, status)
	return false
}

func (g *Guard) check(r *http.Request) (status int, reason string) {
	if len(r.RequestURI) > g.URLBytesMax {
		return http.StatusRequestURITooLong, "the URL is too long"
	}
	lines, cookies := 1, 0 // Host is not among the header fields
	for name, values := range r.Header {
		lines += len(values)
		for _, value := range values {
			if len(name)+2+len(value) > g.LineBytesMax {
				return http.StatusRequestHeaderFieldsTooLarge, "a header line is too long"
			}
			if name == "Cookie" {
				cookies += 1 + strings.Count(value, ";")
			}
		}
	}
	if lines > g.HeaderLinesMax || cookies > g.CookiesMax {
		return http.StatusRequestHeaderFieldsTooLarge, "too many header lines or cookies"
	}
	if !g.allowsHost(r.Host) {
		return http.StatusMisdirectedRequest, "this server is not called by that name"
	}
	return 0, ""
}

// allowsHost keeps pages of other sites from reaching a server on loopback by a name that they made point there (VC-24).
func (g *Guard) allowsHost(host string) bool {
	if len(g.Hosts) == 0 {
		return true
	}
	return slices.ContainsFunc(g.Hosts, func(allowed string) bool { return strings.EqualFold(allowed, hostName(host)) })
}

// hostName is the Host header without port and brackets.
func hostName(host string) string {
	if rest, found := strings.CutPrefix(host, "["); found {
		name, _, _ := strings.Cut(rest, "]")
		return name
	}
	if strings.Count(host, ":") == 1 {
		host, _, _ = strings.Cut(host, ":")
	}
	return host
}
