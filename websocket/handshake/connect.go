package handshake

import (
	"net/http"
	"strings"
)

// The refusals of an extended CONNECT, besides those that it shares with an upgrade.
var (
	refuseTunnel         = &Refusal{http.StatusMethodNotAllowed, "a CONNECT must have the :protocol websocket"}
	refuseProtocol       = &Refusal{http.StatusNotImplemented, "the :protocol must be websocket"}
	refuseEnded          = &Refusal{http.StatusBadRequest, "the stream of a CONNECT must stay open"}
	refuseLength         = &Refusal{http.StatusBadRequest, "a CONNECT has no Content-Length"}
	refuseConnected      = &Refusal{http.StatusBadRequest, "an extended CONNECT has neither Upgrade nor Connection"}
	refuseStreamVersion  = &Refusal{http.StatusBadRequest, "Sec-WebSocket-Version must be 13"}
	faultConnectedStatus = "the server did not accept the CONNECT"
)

// checkExtendedConnect holds a CONNECT of HTTP/2 against RFC 8441 4 and 5.
func checkExtendedConnect(r Request) *Refusal {
	switch {
	case r.Protocol == "":
		return refuseTunnel
	case !strings.EqualFold(r.Protocol, "websocket"):
		return refuseProtocol // RFC 9220 3 recommends 501
	case r.ContentLength == 0:
		return refuseEnded
	case r.ContentLength > 0 || len(r.Header["Content-Length"]) > 0:
		return refuseLength
	case len(r.Header["Upgrade"]) > 0 || len(r.Header["Connection"]) > 0:
		return refuseConnected // RFC 8441 5, RFC 9113 8.2.2
	}
	if _, _, ok := splitAuthority(r.Host); !ok {
		return refuseHost
	}
	// RFC 8441 5: the key is not processed, the version is. HTTP/2 has no 426: it has no Upgrade.
	if value, ok := single(r.Header["Sec-Websocket-Version"]); !ok || value != version {
		return refuseStreamVersion
	}
	return nil
}

// SetResponse puts the fields of the answer to an extended CONNECT into h, whose status is 200.
// Fields of extra that belong to the handshake are left out.
func SetResponse(h http.Header, accepted Accepted, extension string, extra http.Header) {
	for name, values := range extra {
		if !isToken(name) || reserved(name) {
			continue
		}
		for _, value := range values {
			h.Add(name, lineBreaks.Replace(value))
		}
	}
	if accepted.Subprotocol != "" {
		h.Set("Sec-WebSocket-Protocol", accepted.Subprotocol)
	}
	if extension != "" {
		h.Set("Sec-WebSocket-Extensions", extension)
	}
}

// checkConnected says what is wrong with the status of an answer to an extended CONNECT; "" for nothing.
func checkConnected(status int) string {
	if status < 200 || status > 299 { // RFC 9110 9.3.6
		return faultConnectedStatus
	}
	return ""
}
