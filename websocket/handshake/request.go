package handshake

import (
	"net/http"
	"slices"
	"strings"
)

// Request is what an opening request is judged by.
type Request struct {
	Method           string
	Protocol         string // the pseudo-header :protocol of an extended CONNECT (RFC 8441 4); "" for none
	Target           string // as it stands in the request line
	ProtoMajor       int
	ProtoMinor       int
	Host             string
	Secure           bool // it came over TLS
	Header           http.Header
	ContentLength    int64
	TransferEncoding []string
}

// Policy is what a server accepts. Its limits must be set.
type Policy struct {
	Subprotocols []string // most preferred first
	Origins      Origins  // besides the server's own
	AnyOrigin    bool

	HeadBytesMax    int // request line and fields
	LineBytesMax    int // the target, or one field
	FieldsMax       int // field lines
	CookiesMax      int
	SubprotocolsMax int // items offered
	ExtensionsMax   int // items offered
	OfferBytesMax   int // size of one subprotocol's name
}

// Accepted is a request that may be answered with 101, or with 200 where it was an extended CONNECT.
type Accepted struct {
	Accept      string      // value of Sec-WebSocket-Accept; "" for an extended CONNECT
	Subprotocol string      // chosen; "" for none
	Extensions  []Extension // offered
}

// Refusal is why a request is not accepted.
type Refusal struct {
	Status int
	Reason string
}

// Error gives the reason.
func (r *Refusal) Error() string { return r.Reason }

// The refusals of a request.
var (
	refuseMethod      = &Refusal{http.StatusMethodNotAllowed, "the method must be GET"}
	refuseProto       = &Refusal{http.StatusHTTPVersionNotSupported, "the request must be HTTP/1.1"}
	refuseHost        = &Refusal{http.StatusBadRequest, "the Host is missing or malformed"}
	refuseBody        = &Refusal{http.StatusBadRequest, "an opening request has no body"}
	refuseUpgrade     = &Refusal{http.StatusUpgradeRequired, "the Upgrade field must have websocket"}
	refuseConnection  = &Refusal{http.StatusBadRequest, "the Connection field must have Upgrade"}
	refuseVersion     = &Refusal{http.StatusUpgradeRequired, "Sec-WebSocket-Version must be 13"}
	refuseKey         = &Refusal{http.StatusBadRequest, "Sec-WebSocket-Key must be the base64 of 16 bytes"}
	refuseOrigin      = &Refusal{http.StatusForbidden, "the Origin may not connect here"}
	refuseSubprotocol = &Refusal{http.StatusBadRequest, "Sec-WebSocket-Protocol is malformed"}
	refuseOffers      = &Refusal{http.StatusBadRequest, "too many subprotocols, or too long ones"}
	refuseTarget      = &Refusal{http.StatusRequestURITooLong, "the URL is too long"}
	refuseHead        = &Refusal{http.StatusRequestHeaderFieldsTooLarge, "the head of the request is too large"}
	refuseFields      = &Refusal{http.StatusRequestHeaderFieldsTooLarge, "too many fields"}
	refuseLine        = &Refusal{http.StatusRequestHeaderFieldsTooLarge, "a field is too long"}
	refuseCookies     = &Refusal{http.StatusRequestHeaderFieldsTooLarge, "too many cookies"}
)

// version is the only one there is (RFC 6455 4.1).
const version = "13"

// Check holds a request against RFC 6455 4.2.1, or RFC 8441 4 and 5 where it is a CONNECT of HTTP/2, and the policy.
func (p *Policy) Check(r Request) (Accepted, *Refusal) {
	if refusal := p.checkSize(r); refusal != nil {
		return Accepted{}, refusal
	}
	accepted, refusal := checkOpening(r)
	if refusal != nil {
		return Accepted{}, refusal
	}
	if !p.AllowsOrigin(r) {
		return Accepted{}, refuseOrigin
	}
	if accepted.Subprotocol, refusal = p.chooseSubprotocol(r.Header["Sec-Websocket-Protocol"]); refusal != nil {
		return Accepted{}, refusal
	}
	var err error
	if accepted.Extensions, err = ParseExtensions(r.Header["Sec-Websocket-Extensions"], p.ExtensionsMax); err != nil {
		return Accepted{}, &Refusal{http.StatusBadRequest, "Sec-WebSocket-Extensions: " + err.Error()}
	}
	return accepted, nil
}

// checkSize bounds what the checks that follow look at.
func (p *Policy) checkSize(r Request) *Refusal {
	if len(r.Target) > p.LineBytesMax {
		return refuseTarget
	}
	head := len(r.Method) + len(r.Target) + len("  HTTP/1.1\r\n\r\n") + len("Host: \r\n") + len(r.Host)
	fields, cookies := 1, 0
	for name, values := range r.Header {
		for _, value := range values {
			line := len(name) + len(": ") + len(value)
			if line > p.LineBytesMax {
				return refuseLine
			}
			head += line + len("\r\n")
			fields++
			if name == "Cookie" {
				cookies += 1 + strings.Count(value, ";")
			}
		}
	}
	switch {
	case head > p.HeadBytesMax:
		return refuseHead
	case fields > p.FieldsMax:
		return refuseFields
	case cookies > p.CookiesMax:
		return refuseCookies
	}
	return nil
}

// checkOpening checks what HTTP/1.1 and HTTP/2 ask for in ways of their own.
func checkOpening(r Request) (Accepted, *Refusal) {
	if r.ProtoMajor == 2 && r.Method == http.MethodConnect {
		return Accepted{}, checkExtendedConnect(r)
	}
	if refusal := checkRequestLine(r); refusal != nil {
		return Accepted{}, refusal
	}
	if refusal := checkUpgrade(r.Header); refusal != nil {
		return Accepted{}, refusal
	}
	return Accepted{Accept: Accept(trim(r.Header["Sec-Websocket-Key"][0]))}, nil
}

func checkRequestLine(r Request) *Refusal {
	switch {
	case r.Method != http.MethodGet:
		return refuseMethod
	case r.ProtoMajor != 1 || r.ProtoMinor < 1:
		return refuseProto
	case r.ContentLength != 0 || len(r.TransferEncoding) > 0:
		return refuseBody
	}
	if _, _, ok := splitAuthority(r.Host); !ok {
		return refuseHost
	}
	return nil
}

func checkUpgrade(h http.Header) *Refusal {
	switch {
	case !hasToken(h["Upgrade"], "websocket"):
		return refuseUpgrade
	case !hasToken(h["Connection"], "upgrade"):
		return refuseConnection
	}
	if value, ok := single(h["Sec-Websocket-Version"]); !ok || value != version {
		return refuseVersion
	}
	if value, ok := single(h["Sec-Websocket-Key"]); !ok || !validKey(value) {
		return refuseKey
	}
	return nil
}

// single returns the value of a field that must stand exactly once.
func single(values []string) (string, bool) {
	if len(values) != 1 {
		return "", false
	}
	return trim(values[0]), true
}

// AllowsOrigin holds the Origin of a request of any kind against Origins and AnyOrigin. A request without one comes
// from no browser, and no policy of origins can bind it.
func (p *Policy) AllowsOrigin(r Request) bool {
	values := r.Header["Origin"]
	if len(values) == 0 || p.AnyOrigin {
		return true
	}
	value, ok := single(values)
	if !ok {
		return false
	}
	o, ok := parseOrigin(value)
	if !ok {
		return false
	}
	return o == ownOrigin(r) || p.Origins.match(o)
}

// ownOrigin is the origin of a page served from where the request went.
func ownOrigin(r Request) origin {
	scheme := "http"
	if r.Secure {
		scheme = "https"
	}
	own, _ := parseOrigin(scheme + "://" + r.Host)
	return own
}

// chooseSubprotocol takes the server's most preferred of those offered.
func (p *Policy) chooseSubprotocol(fields []string) (string, *Refusal) {
	var offered []string
	for _, field := range fields {
		for item := range strings.SplitSeq(field, ",") {
			item = trim(item)
			switch {
			case len(offered) == p.SubprotocolsMax, len(item) > p.OfferBytesMax:
				return "", refuseOffers
			case !isToken(item), slices.Contains(offered, item):
				return "", refuseSubprotocol // RFC 6455 4.1: unique tokens
			}
			offered = append(offered, item)
		}
	}
	for _, own := range p.Subprotocols {
		if slices.Contains(offered, own) {
			return own, nil
		}
	}
	return "", nil
}

// AppendResponse writes the 101 response. Fields of extra that belong to the
// handshake are left out.
func AppendResponse(dst []byte, accepted Accepted, extension string, extra http.Header) []byte {
	dst = append(dst, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"...)
	dst = appendField(dst, "Sec-WebSocket-Accept", accepted.Accept)
	if accepted.Subprotocol != "" {
		dst = appendField(dst, "Sec-WebSocket-Protocol", accepted.Subprotocol)
	}
	if extension != "" {
		dst = appendField(dst, "Sec-WebSocket-Extensions", extension)
	}
	for name, values := range extra {
		if !isToken(name) || reserved(name) {
			continue
		}
		for _, value := range values {
			dst = appendField(dst, name, value)
		}
	}
	return append(dst, "\r\n"...)
}

// lineBreaks would let a value start a field of its own.
var lineBreaks = strings.NewReplacer("\r", " ", "\n", " ", "\x00", " ")

func appendField(dst []byte, name, value string) []byte {
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	dst = append(dst, lineBreaks.Replace(value)...)
	return append(dst, "\r\n"...)
}

// reserved reports whether a field is the handshake's own.
func reserved(name string) bool {
	name = http.CanonicalHeaderKey(name)
	return strings.HasPrefix(name, "Sec-Websocket-") ||
		slices.Contains([]string{"Upgrade", "Connection", "Content-Length", "Transfer-Encoding"}, name)
}
