package handshake

import (
	"net/http"
	"slices"
	"strings"
)

// Offer is what a client asks for.
type Offer struct {
	Key          string // "" for an extended CONNECT (RFC 8441 5)
	Subprotocols []string
	Extension    string // value of Sec-WebSocket-Extensions; "" for none
}

// Answer is what a server has agreed to.
type Answer struct {
	Subprotocol string
	Extensions  []Extension
}

// answerExtensionsMax is how many extensions an answer may name; one was offered.
const answerExtensionsMax = 1

// The faults of an answer.
var (
	faultUpgrade      = "the Upgrade field is not websocket"
	faultConnection   = "the Connection field has no Upgrade"
	faultAccept       = "Sec-WebSocket-Accept does not answer the key"
	faultSubprotocol  = "the subprotocol was not offered"
	faultStatus       = "the server did not switch protocols"
	faultNoExtensions = "an extension was not offered"
)

// SetHeader puts the fields of the opening request into h, in place of any that
// are there.
func (o Offer) SetHeader(h http.Header) {
	for name := range h {
		if reserved(name) {
			delete(h, name)
		}
	}
	if o.Key != "" {
		h.Set("Upgrade", "websocket")
		h.Set("Connection", "Upgrade")
		h["Sec-WebSocket-Key"] = []string{o.Key}
	}
	h["Sec-WebSocket-Version"] = []string{version}
	if len(o.Subprotocols) > 0 {
		h["Sec-WebSocket-Protocol"] = []string{strings.Join(o.Subprotocols, ", ")}
	}
	if o.Extension != "" {
		h["Sec-WebSocket-Extensions"] = []string{o.Extension}
	}
}

// Valid reports whether the subprotocols may be offered: unique tokens.
func (o Offer) Valid() bool {
	for i, name := range o.Subprotocols {
		if !isToken(name) || slices.Contains(o.Subprotocols[:i], name) {
			return false
		}
	}
	return true
}

// Check holds a server's answer against RFC 6455 4.1, or RFC 8441 5 where there is no key. What its extensions mean
// is for the caller to check.
func (o Offer) Check(status int, h http.Header) (Answer, *Refusal) {
	fault := o.checkSwitch(status, h)
	if o.Key == "" {
		fault = checkConnected(status)
	}
	if fault != "" {
		return Answer{}, &Refusal{status, fault}
	}
	return o.checkChoices(status, h)
}

// checkSwitch says what is wrong with the head of an answer to an upgrade; "" for nothing.
func (o Offer) checkSwitch(status int, h http.Header) string {
	if status != http.StatusSwitchingProtocols {
		return faultStatus
	}
	if value, ok := single(h["Upgrade"]); !ok || !strings.EqualFold(value, "websocket") {
		return faultUpgrade
	}
	if !hasToken(h["Connection"], "upgrade") {
		return faultConnection
	}
	if value, ok := single(h["Sec-Websocket-Accept"]); !ok || value != Accept(o.Key) {
		return faultAccept
	}
	return ""
}

// checkChoices checks what the server has chosen of what was offered.
func (o Offer) checkChoices(status int, h http.Header) (Answer, *Refusal) {
	var answer Answer
	if values := h["Sec-Websocket-Protocol"]; len(values) > 0 {
		name, ok := single(values)
		if !ok || !slices.Contains(o.Subprotocols, name) {
			return Answer{}, &Refusal{status, faultSubprotocol}
		}
		answer.Subprotocol = name
	}
	extensions, err := ParseExtensions(h["Sec-Websocket-Extensions"], answerExtensionsMax)
	switch {
	case err != nil:
		return Answer{}, &Refusal{status, "Sec-WebSocket-Extensions: " + err.Error()}
	case len(extensions) > 0 && o.Extension == "":
		return Answer{}, &Refusal{status, faultNoExtensions}
	}
	answer.Extensions = extensions
	return answer, nil
}
