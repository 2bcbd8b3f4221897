package conformance_test

import (
	"errors"
	"io"
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

// converse plays a conversation with an engine that echoes.
func converse(t *testing.T, c conversation, s *subject) {
	t.Helper()
	peer := s.peer
	sent := make(chan error, 1) // of the step before: a peer reads while it sends
	sent <- nil
	for i, st := range c.steps {
		if len(st.raw)+len(st.send) > 0 {
			if err := <-sent; err != nil {
				t.Fatalf("before step %d: sending: %v", i+1, err)
			}
			go func() { sent <- send(peer, st) }()
		}
		for _, want := range st.expect {
			if got, err := peer.Receive(); err != nil || !got.Equal(want) {
				t.Fatalf("step %d: got %v, %v, want %v", i+1, got, err, want)
			}
		}
	}
	if err := <-sent; err != nil {
		t.Fatalf("sending: %v", err)
	}
	checkEnd(t, c.end, peer)
	checkEnded(t, s, websocket.StatusCode(c.end.status))
}

// checkEnded wants the engine to report that it ended with a status.
func checkEnded(t *testing.T, s *subject, want websocket.StatusCode) {
	t.Helper()
	select {
	case err := <-s.ended:
		if websocket.CloseStatus(err) != want {
			t.Errorf("the engine reports %v, want %d", err, want)
		}
	case <-time.After(time.Minute): // a bound for a hang
		t.Error("the engine does not end")
	}
}

func send(peer *ws.Peer, s step) error {
	switch {
	case len(s.raw) > 0:
		_, err := peer.Line.Write(s.raw)
		return err
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

// play runs cases against sides.
func play(t *testing.T, sides []side, opts websocket.AcceptOptions, cases []conversation) {
	t.Helper()
	for _, s := range sides {
		t.Run(s.name, func(t *testing.T) {
			for _, c := range cases {
				t.Run(c.id, func(t *testing.T) { converse(t, c, s.open(t, opts, "")) })
			}
		})
	}
}
