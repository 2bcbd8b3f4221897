package websocket_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/frame"
	ws "github.com/bellwire/bellwire/websocket/websockettest"
)

// The cases of the public conformance suite, each as a literal conversation of a
// peer with an echo. The verdicts are stricter than the suite's: who fails a
// peer must say so with a close frame and the right code.

// conversation is one case.
type conversation struct {
	id    string
	steps []step
	end   end
}

// step is frames that the peer sends, in writes of chop bytes (0: one write; below
// 0: the header and so many bytes, and no more), or frames that it must then receive.
type step struct {
	send   []ws.Frame
	chop   int
	expect []ws.Frame
	raw    []byte // sent as it is
}

// end is how a conversation must end.
type end struct {
	send   []ws.Frame   // what the peer sends last; none where the other side fails it
	status frame.Status // of the close frame it must receive
}

// The steps by which the tables are written.
func say(frames ...ws.Frame) step               { return step{send: frames} }
func chopped(chop int, frames ...ws.Frame) step { return step{send: frames, chop: chop} }
func hear(frames ...ws.Frame) step              { return step{expect: frames} }
func closes(status frame.Status) end            { return end{[]ws.Frame{ws.CloseFrame(status, "")}, status} }
func fails(status frame.Status) end             { return end{nil, status} }
func text(payload string) ws.Frame              { return ws.Fin(frame.Text, payload) }
func binary(payload string) ws.Frame            { return ws.Fin(frame.Binary, payload) }
func ping(payload string) ws.Frame              { return ws.Fin(frame.Ping, payload) }
func pong(payload string) ws.Frame              { return ws.Fin(frame.Pong, payload) }
func begin(op frame.Opcode, p string) ws.Frame  { return ws.More(op, p) }
func goOn(payload string) ws.Frame              { return ws.More(frame.Continuation, payload) }
func finish(payload string) ws.Frame            { return ws.Fin(frame.Continuation, payload) }
func each(frames ...ws.Frame) (one []step)      { return chops(0, frames...) }
func chops(n int, frames ...ws.Frame) (s []step) { // each frame in writes of its own
	for _, f := range frames {
		s = append(s, chopped(n, f))
	}
	return s
}

// normal is how most cases end.
var normal = closes(frame.StatusNormal)

// suiteLimits allow what the suite sends.
var suiteLimits = websocket.Limits{MessageBytes: 16 << 20}

// converse plays a conversation with an engine that echoes on the line.
func converse(t *testing.T, c conversation, peer *ws.Peer, engine *websocket.Conn) {
	t.Helper()
	echoed := make(chan error, 1)
	go func() { echoed <- echo(context.Background(), engine) }()
	peer.Line.SetDeadline(time.Now().Add(time.Minute)) // a bound for a hang, not a measure
	for i, s := range c.steps {
		if len(s.raw) > 0 {
			peer.Line.Write(s.raw)
		}
		if len(s.send) > 0 {
			if err := send(peer, s); err != nil {
				t.Fatalf("step %d: sending: %v", i+1, err)
			}
		}
		for _, want := range s.expect {
			if got, err := peer.Receive(); err != nil || !got.Equal(want) {
				t.Fatalf("step %d: got %v, %v, want %v", i+1, got, err, want)
			}
		}
	}
	checkEnd(t, c.end, peer)
	err := <-echoed
	if got := websocket.CloseStatus(err); got != websocket.StatusCode(c.end.status) {
		t.Errorf("the engine reports %v", err)
	}
	engine.CloseNow()
}

func send(peer *ws.Peer, s step) error {
	switch {
	case s.chop == 0:
		return peer.Send(s.send...)
	case s.chop > 0:
		return peer.SendChopped(s.chop, s.send...)
	}
	wire, payload := peer.Encode(s.send...), len(s.send[0].Payload)
	_, err := peer.Line.Write(wire[:len(wire)-payload-s.chop])
	return err
}

// checkEnd wants a close frame with the status, and then the end of the line.
func checkEnd(t *testing.T, e end, peer *ws.Peer) {
	t.Helper()
	if err := peer.Send(e.send...); err != nil {
		t.Fatalf("closing: %v", err)
	}
	want := e.status
	got, err := peer.Receive()
	if err != nil || got.Opcode != frame.Close {
		t.Fatalf("got %v, %v, want a close frame with %d", got, err, want)
	}
	if status, _, violation := frame.DecodeClose(got.Payload); status != want || violation != nil {
		t.Fatalf("closed with %d, %v, want %d", status, violation, want)
	}
	if got, err := peer.Receive(); !errors.Is(err, io.EOF) {
		t.Fatalf("after the close frame: %v, %v", got, err)
	}
	peer.Line.Close()
}

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

// bothRoles runs cases against a server and against a client.
func bothRoles(t *testing.T, cases []conversation) {
	t.Helper()
	for _, c := range cases {
		t.Run("server/"+c.id, func(t *testing.T) {
			peer, engine := asServer(t, &websocket.AcceptOptions{Limits: suiteLimits}, "")
			converse(t, c, peer, engine)
		})
		t.Run("client/"+c.id, func(t *testing.T) {
			peer, engine := asClient(t, &websocket.DialOptions{Limits: suiteLimits}, "")
			converse(t, c, peer, engine)
		})
	}
}
