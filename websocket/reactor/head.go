package reactor

import (
	"bytes"
	"context"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
)

// head is the memory that a loop reads the heads of opening handshakes into, one after the other. Made anew for each
// they were 13 of the 82 allocations of a connection of the server, and a quarter of their bytes.
type head struct {
	request http.Request // as blank, but while it is being answered
	blank   http.Request
	url     url.URL
	header  http.Header
	values  []string // of header, where a name stands once
}

func newHead(ctx context.Context) *head {
	h := &head{blank: *new(http.Request).WithContext(ctx)}
	h.clear()
	return h
}

// clear forgets what was read last, and what the memory for it has grown to if that is unusual.
func (h *head) clear() {
	h.request, h.url = h.blank, url.URL{}
	clear(h.values)
	clear(h.header)
	if h.header == nil || len(h.values) > fieldsKept {
		h.header, h.values = make(http.Header), make([]string, 0, fieldsKept) // up to eight names a map needs no hashing
	}
	h.values = h.values[:0]
}

// read reads the head of a plain GET request without a body, an opening handshake or not, and returns it with its length.
// It takes only what every reader of HTTP understands alike, and reports false for everything else,
// be it wrong, incomplete or unusual: that is for a whole HTTP server to judge.
// The request is valid until clear, which has to be called in any case.
func (h *head) read(b []byte) (request *http.Request, length int, ok bool) {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		return nil, 0, false
	}
	text := string(b[:end]) // once, for all the strings of the request
	first, rest, _ := strings.Cut(text, "\r\n")
	target, ok := requestTarget(first)
	if !ok || !h.readTarget(target) {
		return nil, 0, false
	}
	host, ok := h.readFields(rest)
	if !ok {
		return nil, 0, false
	}
	request = &h.request
	request.Method, request.URL, request.RequestURI, request.Host = http.MethodGet, &h.url, target, host
	request.Proto, request.ProtoMajor, request.ProtoMinor = "HTTP/1.1", 1, 1
	request.Header, request.Body = h.header, http.NoBody
	return request, end + 4, true
}

// readTarget is url.ParseRequestURI, without its work where nothing can be escaped.
func (h *head) readTarget(target string) bool {
	path, query, asks := strings.Cut(target, "?")
	if isPlainPath(path) {
		h.url = url.URL{Path: path, RawQuery: query, ForceQuery: asks && query == ""}
		return true
	}
	location, err := url.ParseRequestURI(target)
	if err != nil {
		return false
	}
	h.url = *location
	return true
}

// isPlainPath reports whether a path consists of slashes and unreserved characters (RFC 3986 2.3).
func isPlainPath(path string) bool {
	for i := range len(path) {
		c := path[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && !(c >= '0' && c <= '9') && !strings.ContainsRune("/-._~", rune(c)) {
			return false
		}
	}
	return true
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

const (
	// fieldsMax is a bound beyond which a head is unusual.
	fieldsMax = 128

	// fieldsKept is up to how many fields the memory for them is kept.
	fieldsKept = 32
)

// readFields reads the lines of a header (RFC 9112 5), Host apart.
func (h *head) readFields(lines string) (host string, ok bool) {
	fields := 0
	for line := range strings.SplitSeq(lines, "\r\n") {
		name, value, found := strings.Cut(line, ":")
		value = strings.Trim(value, " \t")
		if fields++; !found || fields > fieldsMax || !isToken(name) || !isFieldValue(value) {
			return "", false
		}
		switch name = canonical(name); name {
		case "Host":
			if host != "" || !isPlainHost(value) {
				return "", false
			}
			host = value
		case "Content-Length", "Transfer-Encoding", "Trailer", "Expect":
			return "", false // a body
		default:
			h.add(name, value)
		}
	}
	if pragma := h.header["Pragma"]; pragma != nil && pragma[0] == "no-cache" && h.header["Cache-Control"] == nil {
		h.header["Cache-Control"] = []string{"no-cache"} // as http.ReadRequest does (RFC 7234 5.4)
	}
	return host, host != ""
}

// add appends a value to those of a name.
func (h *head) add(name, value string) {
	if values := h.header[name]; values != nil {
		h.header[name] = append(values, value)
		return
	}
	h.values = append(h.values, value)
	last := len(h.values)
	h.header[name] = h.values[last-1 : last : last]
}

// canonical is textproto.CanonicalMIMEHeaderKey, which makes a string of each name that it does not know: of those
// of RFC 6455 too, as clients write them.
func canonical(name string) string {
	switch name {
	case "Sec-WebSocket-Key":
		return "Sec-Websocket-Key"
	case "Sec-WebSocket-Version":
		return "Sec-Websocket-Version"
	case "Sec-WebSocket-Protocol":
		return "Sec-Websocket-Protocol"
	case "Sec-WebSocket-Extensions":
		return "Sec-Websocket-Extensions"
	}
	return textproto.CanonicalMIMEHeaderKey(name)
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
