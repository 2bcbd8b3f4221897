package websocket

import (
	"cmp"
	"context"
	"io"
	"net"
	"net/http"
)

// A StreamOpener sends an extended CONNECT (RFC 8441) and returns the head of its
// answer, whatever its status, and the stream as a line. The request's header holds the
// protocol as ":protocol", its context bounds the call.
//
// CloseWrite of the line, where it has one, ends this side's half of the stream. Close
// resets it unless both halves have ended.
type StreamOpener func(*http.Request) (*http.Response, net.Conn, error)

// DialStream performs the handshake of Dial on a stream of HTTP/2 that open opens, for
// those who have an HTTP/2 client; the package websocket/http2 is one. opts may be nil; its
// DialContext, TLSConfig and Proxy are the opener's business, redirects are not followed, and
// none of these must be set.
func DialStream(ctx context.Context, url string, opts *DialOptions, open StreamOpener) (*Conn, *http.Response, error) {
	if opts == nil {
		opts = new(DialOptions)
	}
	if opts.DialContext != nil || opts.TLSConfig != nil || opts.Proxy != nil || opts.RedirectsMax != 0 {
		return nil, nil, &HandshakeError{Reason: "DialContext, TLSConfig, Proxy and RedirectsMax have no effect on a stream"}
	}
	d, err := newDialer(ctx, url, opts, "")
	if err != nil {
		return nil, nil, err
	}
	d.request.Method, d.request.Proto, d.request.ProtoMajor, d.request.ProtoMinor = http.MethodConnect, "HTTP/2.0", 2, 0
	d.request.Header[":protocol"] = []string{"websocket"}
	response, line, err := open(d.request)
	if err != nil {
		return nil, nil, &HandshakeError{Reason: "opening a stream to " + d.request.URL.Host, Err: err}
	}
	response.Request = d.request
	response.Body = io.NopCloser(io.LimitReader(line, int64(cmp.Or(opts.Limits.ResponseBytes, responseBytesDefault))))
	conn, err := d.agree(line, response, func() []byte { return nil })
	if err != nil {
		line.Close()
	}
	return conn, response, err
}
