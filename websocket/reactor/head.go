package reactor

import (
	"bytes"
	"context"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
)

// parseHead reads the head of a plain opening handshake, and returns it with its length. It takes
// only what every reader of HTTP understands alike, and reports false for everything else,
// be it wrong, incomplete, unusual or no handshake: that is for a whole HTTP server to judge.
func parseHead(b []byte, ctx context.Context) (request *http.Request, length int, ok bool) {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		return nil, 0, false
	}
	head := string(b[:end]) // once, for all the strings of the request
	first, rest, _ := strings.Cut(head, "\r\n")
	target, ok := requestTarget(first)
	if !ok {
		return nil, 0, false
	}
	location, err := url.ParseRequestURI(target)
	if err != nil {
		return nil, 0, false
	}
	header, host, ok := parseFields(rest)
	if !ok || !strings.EqualFold(header.Get("Upgrade"), "websocket") {
		return nil, 0, false
	}
	request = new(http.Request).WithContext(ctx)
	request.Method, request.URL, request.RequestURI, request.Host = http.MethodGet, location, target, host
	request.Proto, request.ProtoMajor, request.ProtoMinor = "HTTP/1.1", 1, 1
	request.Header, request.Body = header, http.NoBody
	return request, end + 4, true
}

// requestTarget takes the target out of a request line (RFC 9112 3): a path of visible characters.
func requestTarget(line string) (string, bool) {
	target, isGet := strings.CutPrefix(line, "GET ")
	target, isHTTP := strings.CutSuffix(target, " HTTP/1.1")
	if !isGet || !isHTTP || !strings.HasPrefix(target, "/") || strings.HasPrefix(target, "//") {
		return "", false
	}
	for i := range len(target) {
		if target[i] <= ' ' || target[i] >= 0x7f || target[i] == '#' {
			return "", false
		}
	}
	return target, true
}

// fieldsMax is a bound beyond which a head is unusual.
const fieldsMax = 128

// parseFields reads the lines of a header (RFC 9112 5), Host apart.
func parseFields(lines string) (header http.Header, host string, ok bool) {
	header = make(http.Header, 12)
	fields := 0
	for line := range strings.SplitSeq(lines, "\r\n") {
		name, value, found := strings.Cut(line, ":")
		value = strings.Trim(value, " \t")
		if fields++; !found || fields > fieldsMax || !isToken(name) || !isFieldValue(value) {
			return nil, "", false
		}
		switch name = textproto.CanonicalMIMEHeaderKey(name); name {
		case "Host":
			if host != "" || !isPlainHost(value) {
				return nil, "", false
			}
			host = value
			continue
		case "Content-Length", "Transfer-Encoding", "Trailer", "Expect":
			return nil, "", false // a body
		}
		header[name] = append(header[name], value)
	}
	if pragma := header["Pragma"]; pragma != nil && pragma[0] == "no-cache" && header["Cache-Control"] == nil {
		header["Cache-Control"] = []string{"no-cache"} // as http.ReadRequest does (RFC 7234 5.4)
	}
	return header, host, host != ""
}

// isToken reports whether a field's name is one (RFC 9110 5.6.2).
func isToken(name string) bool {
	for i := range len(name) {
		c := name[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && !(c >= '0' && c <= '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return name != ""
}

// isFieldValue is RFC 9110 5.5 without what is not ASCII.
func isFieldValue(value string) bool {
	for i := range len(value) {
		if c := value[i]; c != '\t' && (c < ' ' || c >= 0x7f) {
			return false
		}
	}
	return true
}

// isPlainHost reports whether a Host is a name or an address, with a port or without.
func isPlainHost(host string) bool {
	for i := range len(host) {
		c := host[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && !(c >= '0' && c <= '9') && !strings.ContainsRune(".-_:[]", rune(c)) {
			return false
		}
	}
	return host != ""
}
