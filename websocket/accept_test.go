package websocket_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/websocket"
	ws "github.com/bellwire/bellwire/websocket/websockettest"
)

// head is a good request; rows change it by replacing text.
const head = "GET /chat HTTP/1.1\r\nHost: server.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"

// listen starts a server that echoes, with the limits that the documentation
// recommends.
func listen(t *testing.T, opts *websocket.AcceptOptions) (address string) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, opts)
		if err == nil {
			defer conn.CloseNow()
			ws.Echo(r.Context(), conn)
		}
	}))
	server.Config.MaxHeaderBytes = 16 << 10
	server.Config.ReadHeaderTimeout = 5 * time.Second
	server.Start()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func TestAcceptChooses(t *testing.T) {
	address := listen(t, &websocket.AcceptOptions{
		Subprotocols: []string{"v2", "v1"},
		Compression:  websocket.CompressionNoContextTakeover,
		Header:       http.Header{"Set-Cookie": {"a=b"}},
	})
	conn, response, err := websocket.Dial(t.Context(), "ws://"+address, &websocket.DialOptions{
		Subprotocols: []string{"v1", "v2"}, Compression: websocket.CompressionNoContextTakeover,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if conn.Subprotocol() != "v2" || response.Header.Get("Set-Cookie") != "a=b" {
		t.Errorf("subprotocol %q, fields %v", conn.Subprotocol(), response.Header)
	}
	if got := response.Header.Get("Sec-Websocket-Extensions"); got != "permessage-deflate; server_no_context_takeover; client_no_context_takeover" {
		t.Errorf("extensions %q", got)
	}
	if conn.RemoteAddr().String() != address || conn.LocalAddr() == nil {
		t.Errorf("addresses %v, %v", conn.RemoteAddr(), conn.LocalAddr())
	}
}

// VC-10, HS-28, HS-29: a server that cannot give its connection up answers so, and
// a wrong configuration is told to the operator only.
func TestAcceptCannot(t *testing.T) {
	request := func() *http.Request {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head + "\r\n")))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for name, row := range map[string]struct {
		w    http.ResponseWriter
		opts *websocket.AcceptOptions
	}{
		"not a hijacker": {httptest.NewRecorder(), nil},
		"bad pattern":    {httptest.NewRecorder(), &websocket.AcceptOptions{OriginPatterns: []string{"*"}}},
	} {
		_, err := websocket.Accept(row.w, request(), row.opts)
		var refused *websocket.HandshakeError
		if !errors.As(err, &refused) || refused.Status != 500 || row.w.(*httptest.ResponseRecorder).Code != 500 {
			t.Errorf("%s: %v", name, err)
		}
		if body := row.w.(*httptest.ResponseRecorder).Body.String(); strings.Contains(body, "pattern") {
			t.Errorf("%s: the client is told %q", name, body)
		}
	}
	_, err := websocket.Accept(failingHijacker{httptest.NewRecorder()}, request(), nil)
	if !errors.Is(err, errHijack) {
		t.Errorf("hijack fails: %v", err)
	}
	server, client := ws.Lines(0)
	client.Reset()
	_, err = websocket.Accept(hijacker{httptest.NewRecorder(), server}, request(), nil)
	if !errors.Is(err, ws.ErrReset) {
		t.Errorf("the client has gone: %v", err)
	}
}

var errHijack = errors.New("no")

type failingHijacker struct{ *httptest.ResponseRecorder }

func (failingHijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) { return nil, nil, errHijack }

type hijacker struct {
	*httptest.ResponseRecorder
	line net.Conn
}

func (h hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.line, bufio.NewReadWriter(bufio.NewReader(h.line), bufio.NewWriter(h.line)), nil
}

// Over TLS the own origin is that of https.
func TestAcceptOverTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err == nil {
			defer conn.CloseNow()
			ws.Echo(r.Context(), conn)
		}
	}))
	defer server.Close()
	config := &tls.Config{RootCAs: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
	url := "wss" + strings.TrimPrefix(server.URL, "https")
	for origin, ok := range map[string]bool{"": true, server.URL: true, "http" + strings.TrimPrefix(server.URL, "https"): false} {
		opts := &websocket.DialOptions{TLSConfig: config, Header: http.Header{}}
		if origin != "" {
			opts.Header.Set("Origin", origin)
		}
		conn, _, err := websocket.Dial(t.Context(), url, opts)
		if (err == nil) != ok {
			t.Errorf("origin %q: %v", origin, err)
		}
		if err != nil {
			continue
		}
		payload := []byte(strings.Repeat("secret ", 10000))
		if err := conn.Write(t.Context(), websocket.TextMessage, payload); err != nil {
			t.Error(err)
		}
		if _, got, err := conn.Read(t.Context()); err != nil || string(got) != string(payload) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
			t.Error(err)
		}
	}
	if _, _, err := websocket.Dial(t.Context(), url, nil); err == nil {
		t.Error("a certificate that nobody vouches for is accepted")
	}
}
