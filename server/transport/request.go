package transport

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/bellwire/bellwire/realtime/node"
	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/handshake"
)

const (
	channelsMax     = 32 // TEN-1
	subprotocolsMax = 8
	extensionsMax   = 8
	offerBytesMax   = 512
)

// read takes from the request what the node wants to know. A refusal is a sentence for a 400.
func (t *WebSocket) read(r *http.Request, client netip.Addr) (Protocol, node.Hello, string) {
	protocol, found := t.choose(r.Header["Sec-Websocket-Protocol"])
	if !found {
		return Protocol{}, node.Hello{}, "none of the offered subprotocols is spoken here"
	}
	channels, refusal := readChannels(r.URL.RawQuery)
	if refusal != "" {
		return Protocol{}, node.Hello{}, refusal
	}
	token, refusal := bearer(r.Header.Values("Authorization"))
	return protocol, node.Hello{Token: token, Channels: channels, RemoteAddr: client.String()}, refusal
}

// choose takes the first subprotocol the client offers that is spoken here, and the default without an offer (CON-1).
func (t *WebSocket) choose(fields []string) (Protocol, bool) {
	if len(fields) == 0 {
		return Protocol{Session: t.config.Protocols[0].Session}, true
	}
	for offer := range strings.SplitSeq(strings.Join(fields, ","), ",") {
		for _, protocol := range t.config.Protocols {
			if strings.TrimSpace(offer) == protocol.Subprotocol {
				return protocol, true
			}
		}
	}
	return Protocol{}, false
}

// readChannels reads ?channels=a,b (TEN-1). Anything else in the query is refused by a sentence that does not repeat it,
// since the likeliest stranger is a token, which has no place in a URL (TEN-2, VC-36).
func readChannels(rawQuery string) ([]string, string) {
	if rawQuery == "" {
		return nil, ""
	}
	if strings.Count(rawQuery, "&") > 0 || strings.Contains(rawQuery, ";") {
		return nil, "the query may have channels only; a token belongs in the Authorization header or in connect"
	}
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return nil, "the query is malformed"
	}
	if query.Get("channels") == "" && query.Has("channels") {
		return nil, "channels is empty"
	}
	if len(query) != 1 || len(query["channels"]) != 1 {
		return nil, "the query may have channels only; a token belongs in the Authorization header or in connect"
	}
	channels := strings.SplitN(query.Get("channels"), ",", channelsMax+1)
	if len(channels) > channelsMax {
		return nil, "more than 32 channels"
	}
	return channels, ""
}

// bearer reads the Authorization header (TEN-2). Other schemes are a proxy's business.
func bearer(fields []string) (token, refusal string) {
	if len(fields) > 1 {
		return "", "more than one Authorization header"
	}
	if len(fields) == 0 {
		return "", ""
	}
	scheme, credential, _ := strings.Cut(fields[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", ""
	}
	credential = strings.TrimSpace(credential)
	if credential == "" {
		return "", "the Authorization header has no token"
	}
	return credential, ""
}

// acceptOptions are those of the protocol, made once, and for a request that came by a proxy with an origin more.
func (t *WebSocket) acceptOptions(r *http.Request, protocol Protocol) *websocket.AcceptOptions {
	options := t.options[protocol.Subprotocol]
	if own, found := t.ownSecureOrigin(r); found {
		more := *options
		more.OriginPatterns = append(append([]string(nil), t.config.OriginPatterns...), own)
		return &more
	}
	return options
}

func (t *WebSocket) newAcceptOptions(subprotocol string) *websocket.AcceptOptions {
	options := &websocket.AcceptOptions{
		OriginPatterns: t.config.OriginPatterns,
		Limits: websocket.Limits{
			MessageBytes: int64(t.config.MessageBytesMax), Fragments: t.config.FragmentsMax,
			HeadBytes: t.config.HeadBytesMax, LineBytes: t.config.LineBytesMax, Fields: t.config.FieldsMax, Cookies: t.config.CookiesMax,
			Subprotocols: subprotocolsMax, Extensions: extensionsMax, OfferBytes: offerBytesMax,
		},
		PingInterval: t.config.Ping, PongTimeout: t.config.Pong,
		CloseTimeout: t.config.CloseTimeout, WriteTimeout: t.config.WriteTimeout,
	}
	if subprotocol != "" {
		options.Subprotocols = []string{subprotocol}
	}
	return options
}

// ownSecureOrigin is the server's own origin as a browser sees it behind a trusted proxy that speaks TLS for it.
func (t *WebSocket) ownSecureOrigin(r *http.Request) (string, bool) {
	if r.TLS != nil || !t.config.Proxies.Secure(r) || strings.Contains(r.Host, "*") {
		return "", false
	}
	own := "https://" + r.Host
	_, err := handshake.ParseOrigins([]string{own})
	return own, err == nil
}
