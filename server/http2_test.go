package server

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/server/config"
	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/http2"
)

// RFC 8441: lines on streams of HTTP/2. net/http decides at the start of a process whether it offers them, so the rows
// run in one of their own.
func TestWebSocketOverHTTP2(t *testing.T) {
	if HTTP2Offered() {
		t.Run("a line over TLS", lineOverTLS)
		t.Run("a line without TLS", lineWithoutTLS)
		t.Run("off", http2Off)
		t.Run("HS-03 places", http2Places)
		t.Run("refusals", http2Refusals)
		t.Run("LIV-5 drain", http2Drain)
		t.Run("HS-24 floods", http2Floods)
		t.Run("events", func(t *testing.T) { eventRules(t, streamNewsroom) })
		return
	}
	cfg, err := config.Load(config.Sources{Flags: map[string]any{"dev": true, "http2_websocket": true}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(Options{Config: cfg, Logger: slog.New(slog.DiscardHandler)}); !errors.Is(err, ErrHTTP2NotOffered) {
		t.Errorf("a server that cannot offer it: %v", err)
	}
	command := exec.Command(os.Args[0], "-test.run=^TestWebSocketOverHTTP2$")
	command.Env = append(os.Environ(), "GODEBUG="+HTTP2Setting)
	if output, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v:\n%s", err, output)
	}
}

// http2Fixture is a server that offers them, and a client that wants them.
type http2Fixture struct {
	*fixture
	client *http2.Client
	scheme string
	pool   *x509.CertPool // nil without TLS
}

func startHTTP2(t *testing.T, secure bool, change func(*config.Config)) *http2Fixture {
	t.Helper()
	f := &http2Fixture{client: &http2.Client{}, scheme: "ws"}
	var certificate config.TLS
	if secure {
		certificate.CertificateFile, certificate.KeyFile, f.pool = makeCertificate(t)
		f.client.TLSConfig, f.scheme = &tls.Config{RootCAs: f.pool}, "wss"
	}
	f.fixture = start(t, func(c *config.Config) {
		c.TLS, c.HTTP2WebSocket = certificate, true
		if change != nil {
			change(c)
		}
	})
	t.Cleanup(func() { f.client.Close() })
	return f
}

func (f *http2Fixture) open(path string, options *websocket.DialOptions) (*line, *http.Response, error) {
	f.t.Helper()
	conn, response, err := f.client.Dial(f.t.Context(), f.scheme+"://"+f.address()+path, options)
	if err != nil {
		return nil, response, err
	}
	f.t.Cleanup(func() { _ = conn.CloseNow() })
	return &line{t: f.t, conn: conn}, response, nil
}

func (f *http2Fixture) mustOpen(path string) *line {
	f.t.Helper()
	l, response, err := f.open(path, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	if response.ProtoMajor != 2 {
		f.t.Fatalf("HTTP/%d", response.ProtoMajor)
	}
	return l
}

func lineOverTLS(t *testing.T) {
	f := startHTTP2(t, true, nil)
	l, _, err := f.open("/ws?channels=chat:a", &websocket.DialOptions{
		Subprotocols: []string{"bellwire.v1.json"}, Header: http.Header{"Origin": {"https://" + f.address()}},
	})
	if err != nil {
		t.Fatal(err)
	}
	l.expect("connect")
	l.expect("subscribed")
	l.send(`{"id":2,"publish":{"channel":"chat:a","data":"` + strings.Repeat("x", 50_000) + `"}}`)
	l.expect("publication")
	l.expect("publish")
	if err := l.conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
	// Beside it, pages by HTTP/2 and lines by HTTP/1.1.
	client := &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: f.pool}, ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	response, err := client.Get("https://" + f.address() + "/")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.ProtoMajor != 2 || response.StatusCode != http.StatusOK {
		t.Errorf("the page: %s %s", response.Proto, response.Status)
	}
	conn, _, err := websocket.Dial(t.Context(), "wss://"+f.address()+"/ws", &websocket.DialOptions{TLSConfig: &tls.Config{RootCAs: f.pool}})
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.CloseNow()
}

func lineWithoutTLS(t *testing.T) {
	f := startHTTP2(t, false, nil)
	lines := []*line{f.mustOpen("/ws?channels=chat:a"), f.mustOpen("/ws?channels=chat:a")}
	for _, l := range lines {
		l.expect("connect")
		l.expect("subscribed")
	}
	lines[0].send(`{"id":2,"publish":{"channel":"chat:a","data":1}}`)
	lines[1].expect("publication")
	f.alive() // on the reactor, by HTTP/1.1
}

// http2Off shows that the option and nothing else switches it on.
func http2Off(t *testing.T) {
	certificateFile, keyFile, pool := makeCertificate(t)
	f := start(t, func(c *config.Config) { c.TLS = config.TLS{CertificateFile: certificateFile, KeyFile: keyFile} })
	client := &http2.Client{TLSConfig: &tls.Config{RootCAs: pool}}
	defer client.Close()
	if _, _, err := client.Dial(t.Context(), "wss://"+f.address()+"/ws", nil); !errors.Is(err, http2.ErrNoHTTP2) {
		t.Errorf("%v", err)
	}
}

// http2Places shows that streams count, not their connection.
func http2Places(t *testing.T) {
	f := startHTTP2(t, true, func(c *config.Config) { c.Limits.UnauthenticatedPerIP = 2 })
	first := f.mustOpen("/ws")
	f.mustOpen("/ws")
	_, response, err := f.open("/ws", nil)
	if response == nil || response.StatusCode != http.StatusTooManyRequests {
		t.Fatalf("a third line that has not connected: %v", err)
	}
	first.send(`{"id":1,"connect":{}}`)
	first.expect("connect")
	f.mustOpen("/ws")
}

func http2Refusals(t *testing.T) {
	f := startHTTP2(t, true, func(c *config.Config) { c.Limits.Connections = 1 })
	f.mustOpen("/ws")
	rows := []struct {
		rule, path string
		options    *websocket.DialOptions
		status     int
	}{
		{"HS-19 another origin", "/ws", &websocket.DialOptions{Header: http.Header{"Origin": {"https://evil.example"}}}, http.StatusForbidden},
		{"TEN-2 a token in the URL", "/ws?token=x", nil, http.StatusBadRequest},
		{"no line is there", "/healthz", nil, http.StatusMethodNotAllowed},
		{"limits.connections", "/ws", nil, http.StatusServiceUnavailable},
	}
	for _, row := range rows {
		_, response, err := f.open(row.path, row.options)
		var refused *websocket.HandshakeError
		if !errors.As(err, &refused) || refused.Status != row.status {
			t.Errorf("%s: %v", row.rule, err)
		}
		if row.status == http.StatusServiceUnavailable && response.Header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", row.rule)
		}
	}
}

func http2Drain(t *testing.T) {
	f := startHTTP2(t, true, nil)
	l := f.mustOpen("/ws")
	l.send(`{"id":1,"connect":{}}`)
	l.expect("connect")
	f.stop()
	for {
		if _, code := l.read(); code != 0 {
			if code < 3000 {
				t.Errorf("the line ended with %d", code)
			}
			break
		}
	}
	f.end()
}
