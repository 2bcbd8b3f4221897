package http2_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"

	"github.com/bellwire/bellwire/internal/leak"
	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/http2"
	ws "github.com/bellwire/bellwire/websocket/websockettest"
)

// TestMain runs the tests in a process whose servers offer WebSocket over HTTP/2, which an environment decides at the start.
func TestMain(m *testing.M) {
	if websocket.HTTP2Offered() {
		leak.Main(m)
		return
	}
	command := exec.Command(os.Args[0], os.Args[1:]...)
	command.Env = append(os.Environ(), "GODEBUG=http2xconnect=1")
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := command.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// peer is a server of net/http that speaks HTTP/2, with TLS or without, and a client of it.
type peer struct {
	server *httptest.Server
	client *http2.Client
	url    string
}

var kinds = map[string]bool{"TLS": true, "without TLS": false}

func serve(t *testing.T, secure bool, handler http.HandlerFunc) *peer {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetHTTP2(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	p := &peer{server: server, client: &http2.Client{}}
	if secure {
		server.EnableHTTP2 = true
		server.StartTLS()
		p.client.TLSConfig = server.Client().Transport.(*http.Transport).TLSClientConfig
	} else {
		server.Start()
	}
	p.url = server.URL
	t.Cleanup(func() {
		p.client.Close()
		server.Close()
	})
	return p
}

func (p *peer) dial(t testing.TB, opts *websocket.DialOptions) *websocket.Conn {
	t.Helper()
	conn, _, err := p.client.Dial(t.Context(), p.url, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseNow() })
	return conn
}

// echo is a handler that sends back what comes.
func echo(opts *websocket.AcceptOptions, ended func(error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, opts)
		if err == nil {
			defer conn.CloseNow()
			err = ws.Echo(r.Context(), conn)
		}
		if ended != nil {
			ended(err)
		}
	}
}

// rawLine opens a line without TLS on which a test speaks HTTP/2 itself.
func (p *peer) rawLine(t *testing.T) net.Conn {
	t.Helper()
	line, err := net.Dial("tcp", p.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { line.Close() })
	return line
}
