package websocket_test

import (
	"net"
	"testing"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/frame"
	ws "github.com/bellwire/bellwire/websocket/websockettest"
)

// The frames by which tests are written.
func text(payload string) ws.Frame             { return ws.Fin(frame.Text, payload) }
func binary(payload string) ws.Frame           { return ws.Fin(frame.Binary, payload) }
func ping(payload string) ws.Frame             { return ws.Fin(frame.Ping, payload) }
func pong(payload string) ws.Frame             { return ws.Fin(frame.Pong, payload) }
func begin(op frame.Opcode, p string) ws.Frame { return ws.More(op, p) }
func goOn(payload string) ws.Frame             { return ws.More(frame.Continuation, payload) }
func finish(payload string) ws.Frame           { return ws.Fin(frame.Continuation, payload) }

// lineBytes is enough for a peer to send a whole case before it reads.
const lineBytes = 48 << 20

// asServer makes an engine in the role of the server, and a peer that is a client.
func asServer(t *testing.T, opts *websocket.AcceptOptions, extra string) (*ws.Peer, *websocket.Conn) {
	t.Helper()
	serverLine, clientLine := ws.Lines(lineBytes)
	return joinServer(t, serverLine, clientLine, opts, extra)
}

func joinServer(t *testing.T, serverLine, clientLine net.Conn, opts *websocket.AcceptOptions, extra string) (*ws.Peer, *websocket.Conn) {
	t.Helper()
	accepted := make(chan *websocket.Conn, 1)
	go func() {
		conn, _ := ws.Accept(serverLine, opts)
		accepted <- conn
	}()
	peer, err := ws.ClientPeer(clientLine, extra)
	if err != nil {
		t.Fatal(err)
	}
	engine := <-accepted
	if engine == nil {
		t.Fatal("the handshake failed")
	}
	return peer, engine
}

// asClient makes an engine in the role of the client, and a peer that is a server.
func asClient(t *testing.T, opts *websocket.DialOptions, extra string) (*ws.Peer, *websocket.Conn) {
	t.Helper()
	serverLine, clientLine := ws.Lines(lineBytes)
	return joinClient(t, serverLine, clientLine, opts, extra)
}

func joinClient(t *testing.T, serverLine, clientLine net.Conn, opts *websocket.DialOptions, extra string) (*ws.Peer, *websocket.Conn) {
	t.Helper()
	answered := make(chan *ws.Peer, 1)
	go func() {
		peer, _ := ws.ServerPeer(serverLine, extra)
		answered <- peer
	}()
	engine, err := ws.Dial(t.Context(), clientLine, opts)
	if err != nil {
		t.Fatal(err)
	}
	return <-answered, engine
}
