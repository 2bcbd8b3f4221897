package websocket

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// RedirectError is why Dial did not go where a server sent it. It is the cause
// within a *HandshakeError, which has the HTTP status.
type RedirectError struct {
	Location string // as the server wrote it; "" if it named none
	Reason   string // why it was not followed, for logs
}

// Error gives the reason and the location.
func (e *RedirectError) Error() string {
	return "redirect to \"" + e.Location + "\" not followed: " + e.Reason
}

// hop is one of the requests by which Dial reaches a server.
type hop struct {
	url  string
	opts *DialOptions
}

// dial opens a connection, by way of at most opts.RedirectsMax redirects.
func (h hop) dial(ctx context.Context) (*Conn, *http.Response, error) {
	for followed := 0; ; followed++ {
		conn, response, err := dialOnce(ctx, h.url, h.opts)
		var refused *HandshakeError
		if !errors.As(err, &refused) || !isRedirect(refused.Status) {
			return conn, response, err
		}
		next, redirect := h.next(response)
		if redirect == nil && followed >= h.opts.RedirectsMax {
			redirect = &RedirectError{Location: response.Header.Get("Location"), Reason: "as many as allowed were followed"}
		}
		if redirect != nil {
			refused.Err = redirect
			return nil, response, refused
		}
		h = next
	}
}

// isRedirect tells the statuses that send a GET elsewhere (RFC 9110 15.4).
func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// next returns where an answer leads, and with what.
func (h hop) next(answer *http.Response) (hop, *RedirectError) {
	location := answer.Header.Get("Location")
	refuse := func(reason string) (hop, *RedirectError) {
		return hop{}, &RedirectError{Location: location, Reason: reason}
	}
	from := answer.Request.URL
	to, err := from.Parse(location)
	switch {
	case len(answer.Header.Values("Location")) != 1 || location == "":
		return refuse("there is not one Location")
	case err != nil:
		return refuse("it is not a URL")
	}
	secure, known := secureScheme(to.Scheme)
	wasSecure, _ := secureScheme(from.Scheme)
	switch {
	case !known:
		return refuse("its scheme is not that of a WebSocket")
	case to.Hostname() == "":
		return refuse("it has no host")
	case wasSecure && !secure:
		return refuse("it leads from an encrypted line to one in the clear")
	}
	to.User, to.Fragment, to.RawFragment = nil, "", ""
	if strings.EqualFold(from.Host, to.Host) {
		to.User = from.User
		return hop{to.String(), h.opts}, nil
	}
	return hop{to.String(), h.opts.withoutSecrets()}, nil
}

// secureScheme says whether a scheme means TLS, and whether it is one of ours.
func secureScheme(scheme string) (secure, known bool) {
	switch scheme {
	case "wss", "https":
		return true, true
	case "ws", "http":
		return false, true
	}
	return false, false
}

// withoutSecrets returns the options for a host that the caller did not name: nothing in them
// shows who the caller is, and the host must prove its own name.
func (o *DialOptions) withoutSecrets() *DialOptions {
	other := *o
	other.Host = ""
	other.Header = http.Header{}
	for _, name := range []string{"Origin", "User-Agent"} {
		if values := o.Header.Values(name); len(values) > 0 {
			other.Header[name] = values
		}
	}
	if config := o.TLSConfig.Clone(); config != nil {
		config.ServerName = ""
		config.Certificates = nil
		config.GetClientCertificate = nil
		other.TLSConfig = config
	}
	return &other
}

// parseURL reads the URL of a WebSocket, and gives it the scheme of HTTP.
func parseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, &HandshakeError{Reason: "reading the URL", Err: err}
	}
	secure, known := secureScheme(u.Scheme)
	switch {
	case !known:
		return nil, &HandshakeError{Reason: "the URL's scheme must be ws or wss"}
	case u.Hostname() == "":
		return nil, &HandshakeError{Reason: "the URL has no host"}
	case u.Fragment != "":
		return nil, &HandshakeError{Reason: "the URL must have no fragment"} // RFC 6455 3
	}
	u.Scheme = "http"
	if secure {
		u.Scheme = "https"
	}
	return u, nil
}
