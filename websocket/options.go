package websocket

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// CompressionMode says whether permessage-deflate (RFC 7692) is agreed, and how.
type CompressionMode uint8

const (
	// CompressionOff neither offers nor accepts compression. It is the default:
	// compression costs memory and time, and a message that holds both a secret
	// and text of an attacker must never be compressed.
	CompressionOff CompressionMode = iota

	// CompressionNoContextTakeover compresses each message on its own, so that a
	// connection at rest holds nothing. The right choice for many connections.
	CompressionNoContextTakeover

	// CompressionContextTakeover lets a message refer to those before it. Better
	// ratios for streams of small alike messages, at 32 KiB a connection for
	// receiving and about 1 MiB for sending; the number of such writers in a
	// process is bounded, connections beyond it compress message by message.
	CompressionContextTakeover
)

// compressionNames are how configurations write the modes.
var compressionNames = [...]string{"off", "no-takeover", "takeover"}

// String returns the mode's name.
func (m CompressionMode) String() string {
	if int(m) < len(compressionNames) {
		return compressionNames[m]
	}
	return "unknown"
}

// MarshalText writes the mode's name.
func (m CompressionMode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads a mode from its name: off, no-takeover or takeover.
func (m *CompressionMode) UnmarshalText(name []byte) error {
	at := slices.Index(compressionNames[:], string(name))
	if at < 0 {
		return fmt.Errorf("websocket: compression %q: want off, no-takeover or takeover", name)
	}
	*m = CompressionMode(at)
	return nil
}

// Limits bounds what a peer can make a connection hold or do. A zero field
// means its default.
type Limits struct {
	// MessageBytes is the largest message accepted, after decompression.
	// Default 1 MiB. A larger one closes the connection with 1009.
	MessageBytes int64

	// Fragments is the largest number of frames in one message. Default 131,072.
	// One more closes the connection with 1008.
	Fragments int

	// ControlBurst and ControlPerSecond bound pings and unasked pongs: that many
	// at once, refilled at that rate. Default 20 and 10. One more closes the
	// connection with 1008.
	ControlBurst     int
	ControlPerSecond int

	// HeadBytes, LineBytes, Fields and Cookies bound the head of a request: its
	// size, that of the URL and of one field, the number of fields and of cookies.
	// Defaults 16 KiB, 8 KiB, 64 and 32. One more refuses it with 431, or 414 for the
	// URL. The HTTP server has read the head by then: give it a MaxHeaderBytes and a
	// ReadHeaderTimeout, too.
	HeadBytes int
	LineBytes int
	Fields    int
	Cookies   int

	// Subprotocols and Extensions are the largest numbers of items a request may
	// offer. Default 8 and 8. One more refuses the handshake with 400.
	Subprotocols int
	Extensions   int

	// OfferBytes is the largest size of one subprotocol's name. Default 512.
	OfferBytes int

	// ResponseBytes is how much of a server's answer Dial reads. Default 16 KiB.
	ResponseBytes int
}

// AcceptOptions says how Accept answers a request. The zero value works, and so
// does nil. A timeout of zero means its default, a negative one switches it off.
type AcceptOptions struct {
	// Subprotocols the server speaks, the most preferred first. The first that
	// the client offers too is chosen; with none in common the connection has none.
	Subprotocols []string

	// OriginPatterns are further origins, besides the server's own, from which a
	// browser may connect: "https://example.com", "https://*.example.com" (any one
	// or more labels before it), "http://localhost:*" (any port). Scheme, host and port must all
	// match. By default only the origin that served the request's host is let in.
	OriginPatterns []string

	// InsecureSkipOriginCheck lets any web page connect. Only for endpoints that
	// do not trust cookies or the network place of a browser.
	InsecureSkipOriginCheck bool

	// Header holds further fields for the 101 response, such as Set-Cookie.
	Header http.Header

	// Admit, where set, is asked once the request has passed all checks and before it
	// is answered. When it fails nothing has been written, and Accept fails with a
	// *HandshakeError that wraps its error; the caller answers the request.
	Admit func() error

	// Compression is CompressionOff unless set.
	Compression CompressionMode

	// CompressionThreshold is the smallest message that is compressed, in bytes.
	// Default 256.
	CompressionThreshold int

	Limits Limits

	// PingInterval is how long a line may be silent before the peer is pinged,
	// while somebody reads. A line that carries traffic is not pinged. Default 25 s.
	PingInterval time.Duration

	// PongTimeout is how long after that ping any sign of life may take; then the
	// connection is given up with StatusAbnormalClosure. Default 8 s.
	PongTimeout time.Duration

	// CloseTimeout bounds the wait for the peer's half of the close handshake.
	// Default 5 s; it cannot be switched off.
	CloseTimeout time.Duration

	// WriteTimeout is how long the peer may accept no bytes at all while there
	// are some to send; then the connection is given up. One that takes less than a KiB in that
	// time counts as taking none, and where the system does not tell (it does for sockets of Linux, also
	// beneath TLS) less than 64 KiB. Default 5 s.
	WriteTimeout time.Duration
}

// DialOptions says how Dial opens a connection. The zero value works, and so
// does nil.
type DialOptions struct {
	// Header holds further fields of the request: Authorization, Cookie, Origin.
	Header http.Header

	// Host replaces the Host field that follows from the URL.
	Host string

	// Subprotocols offered, the most preferred first.
	Subprotocols []string

	// Compression and CompressionThreshold are as in AcceptOptions.
	Compression          CompressionMode
	CompressionThreshold int

	// DialContext opens the line; default a net.Dialer.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)

	// TLSConfig is used for wss and for https proxies; it is cloned. Default: verify
	// by the system's roots.
	TLSConfig *tls.Config

	// Proxy chooses a proxy for a request, as http.ProxyFromEnvironment does:
	// http and https proxies by CONNECT, and socks5, with the user and password of the
	// proxy's URL. Default none.
	Proxy func(*http.Request) (*url.URL, error)

	// RedirectsMax is how many redirects (301, 302, 303, 307, 308) are followed. Default 0: none.
	// One more, one from wss to ws, and one to what is no ws or wss URL fail with a *RedirectError.
	// To another host or port only the fields Origin and User-Agent of Header go along, and neither Host,
	// the URL's user and password nor a client certificate of TLSConfig; coming back does not bring
	// them back. The context bounds all requests together, Limits.ResponseBytes each answer.
	RedirectsMax int

	Limits Limits

	// As in AcceptOptions.
	PingInterval time.Duration
	PongTimeout  time.Duration
	CloseTimeout time.Duration
	WriteTimeout time.Duration
}
