package server

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/server/config"
	"github.com/bellwire/bellwire/websocket"
)

// upgrade is a good opening request to path with further lines.
func upgrade(path string, lines ...string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + strings.Join(append(lines, "\r\n"), "\r\n")
}

// The rows are entries of the catalogue of bad handshakes. Every refusal closes the connection (VC-22), so that what is
// sent after it is never taken for a request (HS-22).
func TestBadHandshakesAreRefused(t *testing.T) {
	f := start(t, nil)
	head := upgrade("/ws")
	head = head[:len(head)-2] // without the empty line
	filled := func(total int) string {
		// One line of at most 8 KiB each, to a head of exactly total bytes.
		text := head
		for total-len(text)-2 > 8000 {
			text += "X-A: " + strings.Repeat("a", 7000) + "\r\n"
		}
		return text + "X-B: " + strings.Repeat("b", total-len(text)-2-7) + "\r\n\r\n"
	}
	tests := []struct {
		name, request string
		status        int
	}{
		{"a good one", head + "\r\n", 101},
		{"HS-04 head of 16 KiB - 1", filled(16<<10 - 1), 101},
		{"HS-04 head of 16 KiB", filled(16 << 10), 101},
		{"HS-04 head of 16 KiB + 1", filled(16<<10 + 1), 431},
		{"HS-04 head of 1 MiB", head + strings.Repeat("X-A: "+strings.Repeat("a", 7000)+"\r\n", 150) + "\r\n", 431},
		{"HS-05 64 lines", head + strings.Repeat("X-A: b\r\n", 59) + "\r\n", 101},
		{"HS-05 65 lines", head + strings.Repeat("X-A: b\r\n", 60) + "\r\n", 431},
		{"HS-06 line of 8 KiB + 1", head + "X-A: " + strings.Repeat("a", 8<<10-4) + "\r\n\r\n", 431},
		{"HS-06 URL of 8 KiB + 1", strings.Replace(head, "/ws", "/"+strings.Repeat("w", 8<<10), 1) + "\r\n", 414},
		{"HS-06 33 cookies", head + "Cookie: " + strings.Repeat("a=b; ", 32) + "a=b\r\n\r\n", 431},
		{"HS-08 POST", strings.Replace(head, "GET", "POST", 1) + "\r\n", 405},
		{"HS-08 HEAD", strings.Replace(head, "GET", "HEAD", 1) + "\r\n", 405},
		{"HS-08 OPTIONS", strings.Replace(head, "GET", "OPTIONS", 1) + "\r\n", 405},
		{"HS-08 lower case", strings.Replace(head, "GET", "get", 1) + "\r\n", 405},
		{"HS-09 HTTP/1.0", strings.Replace(head, "HTTP/1.1", "HTTP/1.0", 1) + "\r\n", 505},
		{"HS-09 HTTP/2.0", strings.Replace(head, "HTTP/1.1", "HTTP/2.0", 1) + "\r\n", 505},
		{"HS-09 no version", strings.Replace(head, " HTTP/1.1", "", 1) + "\r\n", 400},
		{"HS-10 no Upgrade", strings.Replace(head, "Upgrade: websocket\r\n", "", 1) + "\r\n", 426},
		{"HS-10 another protocol", strings.Replace(head, "Upgrade: websocket", "Upgrade: websocket2", 1) + "\r\n", 426},
		{"HS-11 no Connection", strings.Replace(head, "Connection: Upgrade\r\n", "", 1) + "\r\n", 400},
		{"HS-12 version 8", strings.Replace(head, "Version: 13", "Version: 8", 1) + "\r\n", 426},
		{"HS-13 no key", strings.Replace(head, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "", 1) + "\r\n", 400},
		{"HS-14 no Host", strings.Replace(head, "Host: localhost\r\n", "", 1) + "\r\n", 400},
		{"HS-14 two Hosts", head + "Host: localhost\r\n\r\n", 400},
		{"HS-14 a Host that is not ours", strings.Replace(head, "Host: localhost", "Host: evil.example", 1) + "\r\n", 421},
		{"HS-14 a Host with a space", strings.Replace(head, "Host: localhost", "Host: a b", 1) + "\r\n", 400},
		{"HS-15 two keys", head + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", 400},
		{"HS-16 only unknown subprotocols (CON-1)", head + "Sec-WebSocket-Protocol: graphql-ws\r\n\r\n", 400},
		{"HS-16 9 subprotocols", head + "Sec-WebSocket-Protocol: bellwire.v1.json, a, b, c, d, e, f, g, h\r\n\r\n", 400},
		{"HS-18 a folded line", head + "X-A: b\r\n c\r\n\r\n", 101}, // net/http joins it, as RFC 9112 5.2 lets it
		{"HS-18 a space before the colon", head + "X-A : b\r\n\r\n", 400},
		{"HS-18 NUL in a value", head + "X-A: \x00\r\n\r\n", 400},
		{"HS-18 a line without colon", head + "X-A\r\n\r\n", 400},
		{"HS-19 own origin", strings.Replace(head, "localhost", "localhost:8000", 1) + "Origin: http://localhost:8000\r\n\r\n", 101},
		{"HS-19 another port", head + "Origin: http://localhost:8000\r\n\r\n", 403},
		{"HS-19 another scheme", head + "Origin: https://localhost\r\n\r\n", 403},
		{"HS-19 null", head + "Origin: null\r\n\r\n", 403},
		{"HS-19 another site", head + "Origin: http://evil.example\r\n\r\n", 403},
		{"HS-19 ours as prefix", head + "Origin: http://localhost.evil.example\r\n\r\n", 403},
		{"HS-19 two origins", head + "Origin: http://localhost\r\nOrigin: http://localhost\r\n\r\n", 403},
		{"HS-20 a body", head + "Content-Length: 1\r\n\r\nx", 400},
		{"HS-20 an empty body", head + "Content-Length: 0\r\n\r\n", 101},
		{"HS-20 chunked", head + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		{"HS-20 a negative length", head + "Content-Length: -1\r\n\r\n", 400},
		{"HS-22 a request after a refusal", strings.Replace(head, "Version: 13", "Version: 8", 1) + "\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 426},
		{"HS-22 a request after a 404", upgrade("/healthz") + "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 404},
		{"HS-23 h2c", strings.Replace(head, "Upgrade: websocket", "Upgrade: h2c", 1) + "\r\n", 426},
		{"HS-23 CONNECT", "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", 405},
		{"HS-28 upgrade of the API", upgrade("/api/v1/publish"), 404},
		{"HS-28 upgrade of the metrics", upgrade("/metrics"), 404},
		{"HS-28 upgrade of the demo", upgrade("/"), 404},
		{"HS-28 upgrade of nothing", upgrade("/nothing"), 404},
		{"HS-28 upgrade below the path", upgrade("/ws/x"), 404},
		{"HS-28 upgrade of the console", upgrade("/console"), 404},
		{"TEN-2 a token in the URL", upgrade("/ws?token=a.b.c"), 400},
		{"TEN-1 33 channels", upgrade("/ws?channels=" + strings.Repeat("c,", 32) + "c"), 400},
		{"AU: two Authorization headers", head + "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n", 400},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inner := *f
			inner.t = t
			status, header, closed := inner.raw(test.request)
			if status != test.status {
				t.Errorf("status %d, want %d", status, test.status)
			}
			if status != 101 && !closed {
				t.Error("the connection was left open after a refused upgrade")
			}
			if status == 426 && header.Get("Sec-WebSocket-Version") != "13" {
				t.Errorf("426 without the version: %v", header)
			}
		})
	}
	f.alive()
}

// HS-01, HS-02: who sends nothing, or half a head, is closed when the time for a head is over.
func TestHS01HS02SilenceIsClosed(t *testing.T) {
	f := start(t, func(c *config.Config) { c.HTTP.HeaderTimeout = 500 * time.Millisecond })
	for _, sent := range []string{"", "GET /ws HTTP/1.1\r\nHost: localho", upgrade("/ws")[:100]} {
		if status, _, closed := f.raw(sent); status != 0 && status != 408 || !closed {
			t.Errorf("%.20q: status %d, closed %v", sent, status, closed)
		}
	}
	f.alive()
}

// HS-03: connections of one address that prove nothing are counted, and one too many is closed at accept.
func TestHS03TooManyUnprovenConnections(t *testing.T) {
	const most = 4
	f := start(t, func(c *config.Config) { c.Limits.UnauthenticatedPerIP = most })
	var silent []net.Conn
	for range most {
		conn, err := net.Dial("tcp", f.address())
		if err != nil {
			t.Fatal(err)
		}
		silent = append(silent, conn)
	}
	one, err := net.Dial("tcp", f.address())
	if err != nil {
		t.Fatal(err)
	}
	_ = one.SetReadDeadline(time.Now().Add(patience))
	if _, err := one.Read(make([]byte, 1)); err == nil {
		t.Error("one too many was served")
	}
	one.Close()
	for _, conn := range silent {
		conn.Close()
	}
	// Lines that are connected do not count: there may be more of them than places.
	lines := make([]*line, 0, 3*most)
	for len(lines) < cap(lines) {
		if l := tryAnonymous(f); l != nil {
			lines = append(lines, l)
		}
	}
	if got := f.server.node.Info().Connections; got < len(lines) {
		t.Errorf("%d connections", got)
	}
}

// tryAnonymous is nil while the places of the silent connections are still taken.
func tryAnonymous(f *fixture) *line {
	conn, _, err := websocket.Dial(f.t.Context(), "ws://"+f.address()+"/ws", nil)
	if err != nil {
		return nil
	}
	f.t.Cleanup(func() { _ = conn.CloseNow() })
	l := &line{t: f.t, conn: conn}
	l.send(`{"id":1,"connect":{}}`)
	l.expect("connect")
	return l
}

// HS-30, LIV-5: above the admission rate a line is told when to come again, before its token is looked at.
func TestHS30Overload(t *testing.T) {
	f := start(t, func(c *config.Config) { c.Limits.Connections = 1 })
	l := f.anonymous()
	status, header, closed := f.raw(upgrade("/ws", "Authorization: Bearer not.a.token"))
	if status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" || !closed {
		t.Errorf("status %d, %v, closed %v", status, header, closed)
	}
	if _, err := fmt.Sscan(header.Get("Retry-After"), new(int)); err != nil {
		t.Errorf("Retry-After %q", header.Get("Retry-After"))
	}
	l.send(`{"id":2,"ping":{}}`)
	l.expect("ping")
}

// CON-1, CON-2: what was chosen is told, and decides the kind of the messages.
func TestCON1TheChosenSubprotocolIsAnswered(t *testing.T) {
	f := start(t, nil)
	for offer, want := range map[string]string{
		"":                                    "",
		"bellwire.v1.json":                    "bellwire.v1.json",
		"bellwire.v1.proto, bellwire.v1.json": "bellwire.v1.proto",
		"x, bellwire.v1.json":                 "bellwire.v1.json",
	} {
		lines := []string{}
		if offer != "" {
			lines = append(lines, "Sec-WebSocket-Protocol: "+offer)
		}
		status, header, _ := f.raw(upgrade("/ws", lines...))
		if status != 101 || header.Get("Sec-WebSocket-Protocol") != want || len(header.Values("Sec-WebSocket-Protocol")) > 1 {
			t.Errorf("%q: %d %v", offer, status, header.Values("Sec-WebSocket-Protocol"))
		}
	}
}
