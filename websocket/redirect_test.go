package websocket_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/handshake"
	ws "github.com/bellwire/bellwire/websocket/websockettest"
)

// web is servers in memory, by what is dialled. A server answers with the status and Location
// that stand for its path, or accepts.
type web struct {
	answers  map[string]string // "host:port/path" → "302 location"; none: 101
	requests []*http.Request
	pad      string // further fields of each answer that is no 101
	lines    []*readCounter
}

func (w *web) dial(_ context.Context, _, address string) (net.Conn, error) {
	serverLine, clientLine := ws.Lines(1 << 20)
	go func() {
		request, err := http.ReadRequest(bufio.NewReader(serverLine))
		if err != nil {
			serverLine.Close()
			return
		}
		w.requests = append(w.requests, request)
		answer, ok := w.answers[address+request.RequestURI]
		if !ok {
			io.WriteString(serverLine, "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+
				handshake.Accept(request.Header.Get("Sec-Websocket-Key"))+"\r\n\r\n")
			return
		}
		status, location, _ := strings.Cut(answer, " ")
		io.WriteString(serverLine, "HTTP/1.1 "+status+" X\r\nLocation: "+location+"\r\n"+w.pad+"Connection: close\r\n\r\n")
		serverLine.CloseWrite()
	}()
	counter := &readCounter{Conn: clientLine}
	w.lines = append(w.lines, counter)
	return counter, nil
}

// follow dials with every kind of secret.
func (w *web) follow(t *testing.T, url string, redirectsMax int) error {
	t.Helper()
	conn, response, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{
		DialContext:  w.dial,
		RedirectsMax: redirectsMax,
		Host:         "virtual.test",
		Header: http.Header{
			"Authorization": {"Bearer secret"}, "Cookie": {"session=secret"}, "X-Api-Key": {"secret"},
			"Proxy-Authorization": {"secret"}, "Origin": {"https://page.test"}, "User-Agent": {"test"},
		},
	})
	if err == nil {
		conn.CloseNow()
	}
	if response == nil {
		t.Errorf("no response with %v", err)
	}
	return err
}

func TestRedirects(t *testing.T) {
	const a, b = "a.test:80/", "b.test:80/"
	loop := map[string]string{a: "302 ws://b.test/", b: "302 ws://a.test/"}
	for _, row := range []struct {
		rule    string
		answers map[string]string
		max     int
		status  int    // of the error; 0: none
		reason  string // part of it
		path    string // the hosts that were asked
	}{
		{"refused by default", map[string]string{a: "302 ws://b.test/"}, 0, 302, "as many as allowed", "virtual.test"},
		{"301 followed", map[string]string{a: "301 ws://b.test/"}, 1, 0, "", "virtual.test b.test"},
		{"302 followed", map[string]string{a: "302 ws://b.test/"}, 1, 0, "", "virtual.test b.test"},
		{"303 followed", map[string]string{a: "303 ws://b.test/"}, 1, 0, "", "virtual.test b.test"},
		{"307 followed", map[string]string{a: "307 http://b.test/"}, 1, 0, "", "virtual.test b.test"},
		{"308 followed", map[string]string{a: "308 ws://b.test/"}, 1, 0, "", "virtual.test b.test"},
		{"300 is not a redirect", map[string]string{a: "300 ws://b.test/"}, 9, 300, "", "virtual.test"},
		{"304 is not a redirect", map[string]string{a: "304 ws://b.test/"}, 9, 304, "", "virtual.test"},
		{"by a path", map[string]string{a: "302 /x?y=z"}, 1, 0, "", "virtual.test virtual.test"},
		{"without a scheme", map[string]string{a: "302 //b.test/"}, 1, 0, "", "virtual.test b.test"},
		{"to a fragment", map[string]string{a: "302 /x#y"}, 1, 0, "", "virtual.test virtual.test"},
		{"two, of two", map[string]string{a: "302 ws://b.test/", b: "302 ws://c.test/"}, 2, 0, "", "virtual.test b.test c.test"},
		{"two, of one", map[string]string{a: "302 ws://b.test/", b: "302 ws://c.test/"}, 1, 302, "as many as allowed", "virtual.test b.test"},
		{"a loop ends", loop, 5, 302, "as many as allowed", "virtual.test b.test a.test b.test a.test b.test"},
		{"no Location", map[string]string{a: "302 \r\nX: y"}, 9, 302, "not one Location", "virtual.test"},
		{"two Locations", map[string]string{a: "302 /x\r\nLocation: /y"}, 9, 302, "not one Location", "virtual.test"},
		{"not a URL", map[string]string{a: "302 ws://b.test:x/"}, 9, 302, "not a URL", "virtual.test"},
		{"to a file", map[string]string{a: "302 file:///etc/passwd"}, 9, 302, "scheme", "virtual.test"},
		{"to a script", map[string]string{a: "302 javascript:alert(1)"}, 9, 302, "scheme", "virtual.test"},
		{"to no host", map[string]string{a: "302 ws:///x"}, 9, 302, "no host", "virtual.test"},
	} {
		t.Run(row.rule, func(t *testing.T) {
			w := &web{answers: row.answers}
			err := w.follow(t, "ws://a.test/", row.max)
			var failed *websocket.HandshakeError
			if errors.As(err, &failed); (err != nil) != (row.status != 0) || failed != nil && failed.Status != row.status {
				t.Errorf("got %v", err)
			}
			var refused *websocket.RedirectError
			if errors.As(err, &refused); (refused != nil) != (row.reason != "") || refused != nil && !strings.Contains(refused.Reason, row.reason) {
				t.Errorf("refused: %v", refused)
			}
			if refused != nil && row.rule == "refused by default" && refused.Location != "ws://b.test/" {
				t.Errorf("location %q", refused.Location)
			}
			var path []string
			for _, r := range w.requests {
				path = append(path, r.Host)
			}
			if got := strings.Join(path, " "); got != row.path {
				t.Errorf("asked %q, want %q", got, row.path)
			}
		})
	}
}

// What shows who the caller is goes to the host that it named, and not to another: not to another
// port, not to one named with a user, and not when a way leads back.
func TestRedirectsKeepSecrets(t *testing.T) {
	for target, kept := range map[string]bool{
		"/x":                    true,
		"ws://A.test/x":         true,
		"ws://a.test:81/x":      false,
		"ws://b.test/x":         false,
		"ws://a.test.evil/x":    false,
		"ws://sub.a.test/x":     false,
		"ws://user@b.test/x":    false,
		"http://a.test@b.test/": false,
	} {
		w := &web{answers: map[string]string{"a.test:80/": "302 " + target}}
		if err := w.follow(t, "ws://user:password@a.test/", 1); err != nil {
			t.Fatalf("%s: %v", target, err)
		}
		checkSecrets(t, target, w.requests[1], kept)
		if w.requests[0].Header.Get("Sec-Websocket-Key") == w.requests[1].Header.Get("Sec-Websocket-Key") {
			t.Errorf("%s: the same key", target)
		}
	}
	w := &web{answers: map[string]string{"a.test:80/": "302 ws://b.test/", "b.test:80/": "302 ws://a.test/back"}}
	if err := w.follow(t, "ws://a.test/", 2); err != nil {
		t.Fatal(err)
	}
	checkSecrets(t, "there and back", w.requests[2], false)

	// A user and password of the URL go where its host is, too.
	w = &web{answers: map[string]string{"a.test:80/": "302 /x"}}
	if conn, _, err := websocket.Dial(t.Context(), "ws://user:password@a.test/", &websocket.DialOptions{DialContext: w.dial, RedirectsMax: 1}); err != nil {
		t.Error(err)
	} else if conn.CloseNow(); w.requests[1].Header.Get("Authorization") == "" {
		t.Error("the URL's user is forgotten")
	}
}

func checkSecrets(t *testing.T, target string, r *http.Request, kept bool) {
	t.Helper()
	var text strings.Builder
	r.Header.Write(&text)
	for _, secret := range []string{"Bearer secret", "session=secret", "X-Api-Key: secret", "Proxy-Authorization: secret"} {
		if strings.Contains(text.String(), secret) != kept {
			t.Errorf("%s: %q went along: %v", target, secret, !kept)
		}
	}
	if !kept && r.Header.Get("Authorization") != "" {
		t.Errorf("%s: Authorization %q", target, r.Header.Get("Authorization"))
	}
	if (r.Host == "virtual.test") != kept {
		t.Errorf("%s: Host %s", target, r.Host)
	}
	for _, name := range []string{"Origin", "User-Agent"} {
		if r.Header.Get(name) == "" {
			t.Errorf("%s: %s is lost", target, name)
		}
	}
}

// Each answer is read up to its limit, however many there are.
func TestRedirectsAreBounded(t *testing.T) {
	answers := make(map[string]string)
	for n := range 4 {
		answers[fmt.Sprintf("a.test:80/%d", n)] = fmt.Sprintf("302 /%d", n+1)
	}
	w := &web{answers: answers, pad: "\r\n" + strings.Repeat("x", 1<<19)}
	if err := w.follow(t, "ws://a.test/0", 9); err != nil {
		t.Fatal(err)
	}
	w.pad = strings.Repeat("X: x\r\n", 1<<16)
	var failed *websocket.HandshakeError
	conn, _, err := websocket.Dial(t.Context(), "ws://a.test/0", &websocket.DialOptions{DialContext: w.dial, RedirectsMax: 9})
	if !errors.As(err, &failed) || failed.Status != 0 {
		t.Error(conn, err)
	}
	for _, line := range w.lines {
		if line.n > 16<<10 {
			t.Errorf("%d bytes were read of an answer", line.n)
		}
	}
}

// A line that is encrypted does not become one that is not, and each host has to prove its own name.
func TestRedirectsOverTLS(t *testing.T) {
	target := ""
	server := newTLSServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away" {
			http.Redirect(w, r, target, http.StatusFound)
			return
		}
		if conn, err := websocket.Accept(w, r, nil); err == nil {
			conn.CloseNow()
		}
	})
	opts := &websocket.DialOptions{TLSConfig: server.config.Clone(), RedirectsMax: 1}
	for where, reason := range map[string]string{
		server.url + "/ok":     "",
		"ws://plain.test/":     "in the clear",
		"http://127.0.0.1:80/": "in the clear",
	} {
		target = where
		conn, _, err := websocket.Dial(t.Context(), server.url+"/away", opts)
		var refused *websocket.RedirectError
		if errors.As(err, &refused); (err == nil) != (reason == "") || (refused == nil) != (reason == "") || refused != nil && !strings.Contains(refused.Reason, reason) {
			t.Errorf("to %s: %v", where, err)
		}
		if err == nil {
			conn.CloseNow()
		}
	}
	// The name that the caller wants proven is that of its own host alone.
	target = "wss://localhost:" + server.port + "/ok"
	opts.TLSConfig.ServerName = "example.com" // which the certificate of the test server has, and not localhost
	if _, _, err := websocket.Dial(t.Context(), server.url+"/away", opts); err == nil || !strings.Contains(err.Error(), "localhost") {
		t.Errorf("another host passes under the caller's name: %v", err)
	}
}

// tlsServer is a server with a certificate that config trusts.
type tlsServer struct {
	url, port string
	config    *tls.Config
}

func newTLSServer(t *testing.T, handler http.HandlerFunc) tlsServer {
	server := httptest.NewTLSServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(server.Close)
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	roots := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	return tlsServer{"wss" + strings.TrimPrefix(server.URL, "https"), port, &tls.Config{RootCAs: roots}}
}
