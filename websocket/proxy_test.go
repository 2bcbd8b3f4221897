package websocket_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwire/bellwire/websocket"
	ws "github.com/bellwire/bellwire/websocket/websockettest"
)

// viaProxy dials a target through a proxy that is played by a function: it
// gets the line, and returns where the tunnel leads, or "" for nowhere.
func viaProxy(t *testing.T, proxy, target string, play func(line net.Conn) string) error {
	t.Helper()
	serverLine, clientLine := ws.Lines(0)
	var wg sync.WaitGroup
	wg.Go(func() {
		defer serverLine.Close()
		if address := play(serverLine); address != "" {
			tunnel(t, serverLine, address)
		}
	})
	conn, _, err := websocket.Dial(t.Context(), target, &websocket.DialOptions{
		Proxy: func(r *http.Request) (*url.URL, error) {
			if r.URL.Scheme != "http" {
				t.Errorf("the proxy is chosen for %v", r.URL)
			}
			return url.Parse(proxy)
		},
		DialContext: func(_ context.Context, _, address string) (net.Conn, error) {
			if u, _ := url.Parse(proxy); address != u.Host {
				t.Errorf("dialled %s", address)
			}
			return clientLine, nil
		},
	})
	if err == nil {
		liveOn(t, conn)
	}
	clientLine.Close()
	wg.Wait()
	return err
}

func liveOn(t *testing.T, conn *websocket.Conn) {
	t.Helper()
	if err := conn.Write(t.Context(), websocket.TextMessage, []byte("through")); err != nil {
		t.Error(err)
	}
	if _, got, err := conn.Read(t.Context()); err != nil || string(got) != "through" {
		t.Errorf("got %q, %v", got, err)
	}
	conn.Close(websocket.StatusNormalClosure, "")
}

// tunnel joins a line with an address.
func tunnel(t *testing.T, line net.Conn, address string) {
	far := ws.Connect(t, address)
	defer far.Close()
	go func() {
		io.Copy(far, line)
		far.Close()
	}()
	io.Copy(line, far)
}

func TestConnectProxy(t *testing.T) {
	address := listen(t, nil)
	var authorization, requested string
	good := func(line net.Conn) string {
		request, err := http.ReadRequest(bufio.NewReader(line))
		if err != nil {
			return ""
		}
		authorization, requested = request.Header.Get("Proxy-Authorization"), request.Method+" "+request.Host
		io.WriteString(line, "HTTP/1.1 200 Connection established\r\nX: y\r\n\r\n")
		return address
	}
	if err := viaProxy(t, "http://user:secret@proxy.test:3128", "ws://far.test:8080/", good); err != nil {
		t.Fatal(err)
	}
	if authorization != "Basic dXNlcjpzZWNyZXQ=" || requested != "CONNECT far.test:8080" {
		t.Errorf("%q, %q", authorization, requested)
	}
	for rule, answer := range map[string]string{
		"407":       "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
		"garbage":   "SSH-2.0\r\n\r\n",
		"cut":       "HTTP/1.1 200 OK\r\nX",
		"endless":   "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<16),
		"no answer": "",
	} {
		err := viaProxy(t, "http://proxy.test:3128", "ws://far.test/", func(line net.Conn) string {
			http.ReadRequest(bufio.NewReader(line))
			io.WriteString(line, answer)
			return ""
		})
		var failed *websocket.HandshakeError
		if !errors.As(err, &failed) || !strings.Contains(err.Error(), "proxy") {
			t.Errorf("%s: %v", rule, err)
		}
	}
}

// socks plays a SOCKS proxy with literal bytes: it wants each request and gives
// each answer.
func socks(t *testing.T, address string, requests, answers []string) func(net.Conn) string {
	return func(line net.Conn) string {
		for i, want := range requests {
			got := make([]byte, len(want))
			if _, err := io.ReadFull(line, got); err != nil || string(got) != want {
				t.Errorf("request %d: % X, %v, want % X", i, got, err, want)
				return ""
			}
			io.WriteString(line, answers[i])
		}
		return address
	}
}

func TestSOCKSProxy(t *testing.T) {
	address := listen(t, nil)
	const bound4, bound6 = "\x01\x7f\x00\x00\x01\x00\x50", "\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x50"
	good := []struct {
		rule, proxy, target string
		requests, answers   []string
	}{
		{"name", "socks5://proxy.test:1080", "ws://far.test:8080/",
			[]string{"\x05\x01\x00", "\x05\x01\x00\x03\x08far.test\x1f\x90"}, []string{"\x05\x00", "\x05\x00\x00" + bound4}},
		{"IPv4", "socks5h://proxy.test:1080", "ws://10.0.0.1/",
			[]string{"\x05\x01\x00", "\x05\x01\x00\x01\x0a\x00\x00\x01\x00\x50"}, []string{"\x05\x00", "\x05\x00\x00" + bound6}},
		{"IPv6", "socks5://proxy.test:1080", "ws://[::1]/",
			[]string{"\x05\x01\x00", "\x05\x01\x00\x04" + strings.Repeat("\x00", 15) + "\x01\x00\x50"}, []string{"\x05\x00", "\x05\x00\x00\x03\x01x\x00\x50"}},
		{"password", "socks5://user:secret@proxy.test:1080", "ws://far.test/",
			[]string{"\x05\x01\x02", "\x01\x04user\x06secret", "\x05\x01\x00\x03\x08far.test\x00\x50"}, []string{"\x05\x02", "\x01\x00", "\x05\x00\x00" + bound4}},
	}
	for _, row := range good {
		if err := viaProxy(t, row.proxy, row.target, socks(t, address, row.requests, row.answers)); err != nil {
			t.Errorf("%s: %v", row.rule, err)
		}
	}
	full := good[3]
	for rule, answers := range map[string][]string{
		"other version":    {"\x04\x00"},
		"other method":     {"\x05\xff"},
		"login refused":    {"\x05\x02", "\x01\x01"},
		"connect refused":  {"\x05\x02", "\x01\x00", "\x05\x05\x00" + bound4},
		"answer's version": {"\x05\x02", "\x01\x00", "\x04\x00\x00" + bound4},
		"answer's address": {"\x05\x02", "\x01\x00", "\x05\x00\x00\x09"},
		"cut in method":    {"\x05"},
		"cut in login":     {"\x05\x02", "\x01"},
		"cut in answer":    {"\x05\x02", "\x01\x00", "\x05\x00"},
		"cut in name":      {"\x05\x02", "\x01\x00", "\x05\x00\x00\x03"},
		"cut in address":   {"\x05\x02", "\x01\x00", "\x05\x00\x00\x01\x7f"},
	} {
		err := viaProxy(t, full.proxy, full.target, socks(t, "", full.requests[:len(answers)], answers))
		var failed *websocket.HandshakeError
		if !errors.As(err, &failed) {
			t.Errorf("%s: %v", rule, err)
		}
	}
	long := strings.Repeat("x", 256)
	for rule, err := range map[string]error{
		"long user": viaProxy(t, "socks5://"+long+":x@proxy.test:1080", "ws://far.test/", socks(t, "", full.requests[:1], []string{"\x05\x02"})),
		"long name": viaProxy(t, "socks5://proxy.test:1080", "ws://"+long+"/", socks(t, "", good[0].requests[:1], []string{"\x05\x00"})),
		"scheme":    viaProxy(t, "gopher://proxy.test:70", "ws://far.test/", func(net.Conn) string { return "" }),
	} {
		if err == nil {
			t.Errorf("%s: accepted", rule)
		}
	}
}

// The proxy may say that none is needed, or that it cannot say.
func TestProxyChoice(t *testing.T) {
	url1 := "http://" + listen(t, nil)
	conn, _, err := websocket.Dial(t.Context(), url1, &websocket.DialOptions{
		Proxy: func(*http.Request) (*url.URL, error) { return nil, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	liveOn(t, conn)
	undecided := errors.New("undecided")
	_, _, err = websocket.Dial(t.Context(), url1, &websocket.DialOptions{
		Proxy: func(*http.Request) (*url.URL, error) { return nil, undecided },
	})
	if !errors.Is(err, undecided) {
		t.Error(err)
	}
	_, _, err = websocket.Dial(t.Context(), url1, &websocket.DialOptions{
		Proxy:       func(*http.Request) (*url.URL, error) { return url.Parse("http://proxy.test") },
		DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, undecided },
	})
	if !errors.Is(err, undecided) {
		t.Error(err)
	}
}

// A proxy that says nothing: the context ends the wait.
func TestProxySilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, proxy := range []string{"http://proxy.test", "socks5://proxy.test"} {
			_, clientLine := ws.Lines(0)
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			start := time.Now()
			_, _, err := websocket.Dial(ctx, "ws://far.test/", &websocket.DialOptions{
				Proxy:       func(*http.Request) (*url.URL, error) { return url.Parse(proxy) },
				DialContext: func(context.Context, string, string) (net.Conn, error) { return clientLine, nil },
			})
			if took := time.Since(start); err == nil || took != time.Second {
				t.Errorf("%s: after %v: %v", proxy, took, err)
			}
		}
	})
}
