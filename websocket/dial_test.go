package websocket_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/frame"
	"github.com/bellwire/bellwire/websocket/handshake"
	ws "github.com/bellwire/bellwire/websocket/websockettest"
)

// answering dials a server in memory that reads the request and writes what answer
// makes of its key. It returns how many bytes of the answer were read, and the error of Dial.
func answering(t *testing.T, opts websocket.DialOptions, answer func(key string) string) (*http.Response, int, error) {
	t.Helper()
	serverLine, clientLine := ws.Lines(1 << 20)
	counter := &readCounter{Conn: clientLine}
	opts.DialContext = func(context.Context, string, string) (net.Conn, error) { return counter, nil }
	served := make(chan struct{})
	go func() {
		defer close(served)
		request, err := http.ReadRequest(bufio.NewReader(serverLine))
		if err != nil {
			return
		}
		io.WriteString(serverLine, answer(request.Header.Get("Sec-Websocket-Key")))
		serverLine.CloseWrite()
	}()
	conn, response, err := websocket.Dial(t.Context(), "ws://server.test/", &opts)
	if err == nil {
		conn.CloseNow()
	} else if _, err := clientLine.Write([]byte("x")); err == nil {
		t.Error("the line of a failed handshake is open")
	}
	serverLine.Close()
	<-served
	return response, counter.n, err
}

type readCounter struct {
	net.Conn
	n int
}

func (c *readCounter) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.n += n
	return n, err
}

// FR-24: a client against servers that answer wrongly: each a typed error, of
// at most 16 KiB read.
func TestHostileAnswers(t *testing.T) {
	good := func(extra string) func(string) string {
		return func(key string) string {
			return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
				"Sec-WebSocket-Accept: " + handshake.Accept(key) + "\r\n" + extra + "\r\n"
		}
	}
	literal := func(s string) func(string) string { return func(string) string { return s } }
	rows := []struct {
		rule   string
		answer func(key string) string
		status int // of the error; -1: none
	}{
		{"good", good(""), -1},
		{"good, with a subprotocol offered", good("Sec-WebSocket-Protocol: chat\r\n"), -1},
		{"good, compressed", good("Sec-WebSocket-Extensions: permessage-deflate\r\n"), -1},
		{"good, in a window", good("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=9\r\n"), -1},
		{"Accept of another key", func(string) string { return good("")("AAAAAAAAAAAAAAAAAAAAAA==") }, 101},
		{"Accept missing", literal("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"), 101},
		{"Upgrade missing", func(key string) string { return strings.Replace(good("")(key), "Upgrade: websocket\r\n", "", 1) }, 101},
		{"Connection missing", func(key string) string { return strings.Replace(good("")(key), "Connection: Upgrade\r\n", "", 1) }, 101},
		{"subprotocol not offered", good("Sec-WebSocket-Protocol: mqtt\r\n"), 101},
		{"two subprotocols", good("Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: chat\r\n"), 101},
		{"extension not offered", good("Sec-WebSocket-Extensions: bzip2\r\n"), 101},
		{"extension twice", good("Sec-WebSocket-Extensions: permessage-deflate, permessage-deflate\r\n"), 101},
		{"extension malformed", good("Sec-WebSocket-Extensions: permessage-deflate;\r\n"), 101},
		{"bits out of range", good("Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=16\r\n"), 101},
		{"bits without value", good("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"), 101},
		{"200", literal("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"), 200},
		{"301", literal("HTTP/1.1 301 Moved\r\nLocation: ws://other.test/\r\nContent-Length: 0\r\n\r\n"), 301},
		{"401", literal("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n\r\nno"), 401},
		{"403", literal("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"), 403},
		{"500 with an endless body", literal("HTTP/1.1 500 Oops\r\n\r\n" + strings.Repeat("x", 1<<19)), 500},
		{"100 before", literal("HTTP/1.1 100 Continue\r\n\r\n"), 100},
		{"HTTP/1.0", literal("HTTP/1.0 200 OK\r\n\r\n"), 200},
		{"nothing", literal(""), 0},
		{"not HTTP", literal("SSH-2.0-OpenSSH_9.9\r\n"), 0},
		{"TLS", literal("\x15\x03\x03\x00\x02\x02\x28"), 0},
		{"endless status line", literal("HTTP/1.1 101 " + strings.Repeat("x", 1<<19)), 0},
		{"endless field", literal("HTTP/1.1 101 X\r\nX: " + strings.Repeat("x", 1<<19)), 0},
		{"endless fields", literal("HTTP/1.1 101 X\r\n" + strings.Repeat("X: x\r\n", 1<<16)), 0},
		{"cut in the fields", literal("HTTP/1.1 101 X\r\nUpgrade: webs"), 0},
		{"binary fields", literal("HTTP/1.1 101 X\r\n\x00\x01: \x02\r\n\r\n"), 0},
	}
	for _, row := range rows {
		t.Run(row.rule, func(t *testing.T) {
			opts := websocket.DialOptions{Subprotocols: []string{"chat"}, Compression: websocket.CompressionContextTakeover}
			response, read, err := answering(t, opts, row.answer)
			if row.status < 0 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var failed *websocket.HandshakeError
			if !errors.As(err, &failed) || failed.Status != row.status {
				t.Errorf("got %v, want status %d", err, row.status)
			}
			if read > 16<<10 {
				t.Errorf("%d bytes were read", read)
			}
			if (response != nil) != (row.status != 0) {
				t.Errorf("response %v", response)
			}
			if response != nil {
				if _, err := io.ReadAll(response.Body); err != nil {
					t.Errorf("body: %v", err)
				}
			}
		})
	}
}

func TestRefusalBody(t *testing.T) {
	response, _, _ := answering(t, websocket.DialOptions{}, func(string) string {
		return "HTTP/1.1 403 Forbidden\r\nContent-Length: 8\r\n\r\nquota: 0"
	})
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != "quota: 0" {
		t.Errorf("got %q, %v", body, err)
	}
}

// The request a client writes.
func TestDialRequest(t *testing.T) {
	serverLine, clientLine := ws.Lines(0)
	requests := make(chan *http.Request, 1)
	go func() {
		request, _ := http.ReadRequest(bufio.NewReader(serverLine))
		requests <- request
		serverLine.Close()
	}()
	var network, address string
	_, _, err := websocket.Dial(t.Context(), "ws://user:secret@Server.test:8080/a%20b?c=d", &websocket.DialOptions{
		Header:       http.Header{"Cookie": {"a=b"}, "Sec-Websocket-Version": {"8"}, "Origin": {"http://a.test"}},
		Host:         "virtual.test",
		Subprotocols: []string{"v1", "v2"},
		Compression:  websocket.CompressionNoContextTakeover,
		DialContext: func(_ context.Context, n, a string) (net.Conn, error) {
			network, address = n, a
			return clientLine, nil
		},
	})
	if err == nil || network != "tcp" || address != "Server.test:8080" {
		t.Errorf("dialled %s %s: %v", network, address, err)
	}
	r := <-requests
	if r.Method != "GET" || r.RequestURI != "/a%20b?c=d" || r.Host != "virtual.test" {
		t.Errorf("%s %s, Host %s", r.Method, r.RequestURI, r.Host)
	}
	for name, want := range map[string]string{
		"Cookie": "a=b", "Origin": "http://a.test", "Authorization": "Basic dXNlcjpzZWNyZXQ=",
		"Upgrade": "websocket", "Connection": "Upgrade", "Sec-Websocket-Version": "13",
		"Sec-Websocket-Protocol":   "v1, v2",
		"Sec-Websocket-Extensions": "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits",
	} {
		if got := r.Header.Values(name); len(got) != 1 || got[0] != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if len(r.Header.Get("Sec-Websocket-Key")) != 24 {
		t.Errorf("key %q", r.Header.Get("Sec-Websocket-Key"))
	}
}

// What cannot be dialled is an error before any line is opened.
func TestDialMistakes(t *testing.T) {
	for rule, row := range map[string]struct {
		url  string
		opts websocket.DialOptions
	}{
		"scheme":           {"ftp://a.test/", websocket.DialOptions{}},
		"no host":          {"ws:///path", websocket.DialOptions{}},
		"fragment":         {"ws://a.test/#x", websocket.DialOptions{}},
		"not a URL":        {"ws://a b/", websocket.DialOptions{}},
		"bad subprotocol":  {"ws://a.test/", websocket.DialOptions{Subprotocols: []string{"a b"}}},
		"same subprotocol": {"ws://a.test/", websocket.DialOptions{Subprotocols: []string{"a", "a"}}},
		"bad field":        {"ws://a.test/", websocket.DialOptions{Header: http.Header{"X": {"a\r\nb"}}}},
	} {
		row.opts.DialContext = func(context.Context, string, string) (net.Conn, error) {
			if rule != "bad field" {
				t.Errorf("%s: a line was opened", rule)
			}
			_, line := ws.Lines(0)
			line.Close()
			return line, nil
		}
		_, _, err := websocket.Dial(t.Context(), row.url, &row.opts)
		var failed *websocket.HandshakeError
		if !errors.As(err, &failed) {
			t.Errorf("%s: %v", rule, err)
		}
	}
	refused := errors.New("refused")
	_, _, err := websocket.Dial(t.Context(), "ws://a.test/", &websocket.DialOptions{
		DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, refused },
	})
	if !errors.Is(err, refused) {
		t.Error(err)
	}
}

// A server that accepts the line and says nothing: the context ends the wait,
// by deadline and by cancellation, at once.
func TestDialContextEnds(t *testing.T) {
	for _, answer := range []string{"", "HTTP/1.1 101 Switch", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"} {
		synctest.Test(t, func(t *testing.T) {
			serverLine, clientLine := ws.Lines(0)
			io.WriteString(serverLine, answer)
			ctx, cancel := context.WithTimeout(context.Background(), 700*time.Millisecond)
			defer cancel()
			start := time.Now()
			_, err := ws.Dial(ctx, clientLine, nil)
			if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took != 700*time.Millisecond {
				t.Errorf("%q: after %v: %v", answer, took, err)
			}
			serverLine.Close()
		})
	}
}

// Frames in the same packet as the answer are read after it.
func TestFramesBehindTheAnswer(t *testing.T) {
	serverLine, clientLine := ws.Lines(0)
	go func() {
		request, err := http.ReadRequest(bufio.NewReader(serverLine))
		if err != nil {
			return
		}
		accept := handshake.Accept(request.Header.Get("Sec-Websocket-Key"))
		wire := []byte("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept + "\r\n\r\n")
		wire = text("early").Append(wire, false)
		wire = ws.Fin(frame.Binary, strings.Repeat("x", 10000)).Append(wire, false)
		serverLine.Write(wire)
	}()
	conn, err := ws.Dial(t.Context(), clientLine, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	for _, want := range []string{"early", strings.Repeat("x", 10000)} {
		if _, got, err := conn.Read(t.Context()); err != nil || string(got) != want {
			t.Fatalf("got %.20q, %v", got, err)
		}
	}
}

// VC-11: the masks of a client do not repeat and are not those of another.
func TestMasksAreUnpredictable(t *testing.T) {
	seen := map[string]bool{}
	for range 4 {
		peer, engine := asClient(t, nil, "")
		for range 250 {
			if err := engine.Write(t.Context(), websocket.BinaryMessage, nil); err != nil {
				t.Fatal(err)
			}
			var wire [6]byte
			if _, err := io.ReadFull(peer.Line, wire[:]); err != nil {
				t.Fatal(err)
			}
			seen[string(wire[2:])] = true
		}
		engine.CloseNow()
	}
	if len(seen) < 998 { // 1,000 random keys of 32 bits: two alike are rare, three rarer
		t.Errorf("%d different masks in 1,000 frames", len(seen))
	}
}

// readKey reads a request and returns what answers its key.
func readKey(line net.Conn) (string, error) {
	request, err := http.ReadRequest(bufio.NewReader(line))
	if err != nil {
		return "", err
	}
	return handshake.Accept(request.Header.Get("Sec-Websocket-Key")), nil
}
