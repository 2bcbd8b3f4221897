package conformance_test

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/frame"
	ws "github.com/bellwire/bellwire/websocket/websockettest"
)

// A closing is a connection that the engine closes, with what its peer does before and after it has
// seen the close frame.
type closing struct {
	rule   string
	before []ws.Frame
	code   websocket.StatusCode
	reason string
	says   string // the reason that the peer must see
	after  []ws.Frame
	ends   websocket.StatusCode // what the engine reports
}

// RFC 6455 7.1: the engine closes.
func TestEngineCloses(t *testing.T) {
	echoedCode := ws.CloseFrame(4001, "")
	rows := []closing{
		{"answered with its code", nil, 4001, "bye", "bye", []ws.Frame{echoedCode}, 4001},
		{"answered with another code", nil, 4001, "", "", []ws.Frame{ws.CloseFrame(4002, "mine")}, 4002},
		{"answered without a code", nil, 4001, "", "", []ws.Frame{ws.Fin(frame.Close, "")}, 1005},
		{"answered with a code that must not be sent", nil, 4001, "", "", []ws.Frame{ws.Fin(frame.Close, "\x03\xed")}, 1002},
		{"answered with a fragmented close", nil, 4001, "", "", []ws.Frame{ws.More(frame.Close, "\x0f\xa1")}, 1002},
		{"a long reason is cut between characters", nil, 4001, strings.Repeat("é", 100), strings.Repeat("é", 61), []ws.Frame{echoedCode}, 4001},
		{"messages that come meanwhile are taken", []ws.Frame{begin(frame.Text, "half")}, 4001, "", "",
			[]ws.Frame{finish("late"), ping("p"), text("later"), echoedCode}, 4001},
		{"a violation meanwhile fails the connection", nil, 4001, "", "", []ws.Frame{ws.Fin(3, "")}, 1002},
	}
	for _, side := range sides(t) {
		for _, row := range rows {
			t.Run(side.name+"/"+row.rule, func(t *testing.T) {
				s := side.open(t, websocket.AcceptOptions{CloseTimeout: 2 * time.Minute}, "") // what works does not wait for it
				s.peer.Send(row.before...)
				closed := make(chan error, 1)
				go func() { closed <- s.close(row.code, row.reason) }()
				checkClosing(t, s, row)
				<-closed // its error is of the driver: it may know the answer or not
				checkEnded(t, s, row.ends)
			})
		}
	}
}

func checkClosing(t *testing.T, s *subject, row closing) {
	t.Helper()
	got, err := s.peer.Receive()
	status, reason, violation := frame.DecodeClose(got.Payload)
	if err != nil || got.Opcode != frame.Close || violation != nil || websocket.StatusCode(status) != row.code || string(reason) != row.says {
		t.Fatalf("got %v, %v", got, err)
	}
	s.peer.Send(row.after...)
	if got, err := s.peer.Receive(); err != io.EOF {
		t.Fatalf("after the close frame: %v, %v", got, err)
	}
	s.peer.Line.Close()
}

// Both sides close at once: one close frame goes out, and the line ends.
func TestCloseCrossing(t *testing.T) {
	for _, side := range sides(t) {
		t.Run(side.name, func(t *testing.T) {
			s := side.open(t, websocket.AcceptOptions{}, "")
			go s.close(4001, "ours")
			s.peer.Send(ws.CloseFrame(4002, "theirs"))
			got, err := s.peer.Receive()
			if status, _, _ := frame.DecodeClose(got.Payload); err != nil || status != 4001 && status != 4002 {
				t.Errorf("got %v, %v", got, err)
			}
			if got, err := s.peer.Receive(); err != io.EOF {
				t.Errorf("a second frame: %v, %v", got, err)
			}
			s.peer.Line.Close()
			checkEnded(t, s, 4002)
		})
	}
}

// A close that is not answered ends the line after the close timeout, and so does a peer that was
// failed and stays on the line.
func TestPeerStays(t *testing.T) {
	opts := websocket.AcceptOptions{CloseTimeout: 200 * time.Millisecond}
	for _, side := range sides(t) {
		t.Run(side.name+"/unanswered", func(t *testing.T) {
			s := side.open(t, opts, "")
			go s.close(1000, "")
			if got, err := s.peer.Receive(); err != nil || !got.Equal(ws.CloseFrame(1000, "")) {
				t.Fatalf("got %v, %v", got, err)
			}
			checkEnded(t, s, websocket.StatusAbnormalClosure)
			if got, err := s.peer.Receive(); err == nil {
				t.Errorf("got %v", got)
			}
		})
		t.Run(side.name+"/failed", func(t *testing.T) {
			s := side.open(t, opts, "")
			s.peer.Send(ws.Fin(3, ""))
			checkEnded(t, s, websocket.StatusProtocolError)
			if got, err := s.peer.Receive(); err != nil || got.Opcode != frame.Close {
				t.Fatalf("got %v, %v", got, err)
			}
			if got, err := s.peer.Receive(); err != io.EOF {
				t.Fatalf("got %v, %v", got, err)
			}
			for { // the line takes what comes until it is cut
				if _, err := s.peer.Line.Write(make([]byte, 1000)); err != nil {
					if errors.Is(err, os.ErrDeadlineExceeded) {
						t.Error("the line is not cut")
					}
					return
				}
			}
		})
	}
}

// The close frame arrives although not all bytes of the peer were read: the line is not reset under it.
func TestCloseFrameArrives(t *testing.T) {
	for _, side := range sides(t) {
		t.Run(side.name, func(t *testing.T) {
			for range 20 {
				s := side.open(t, websocket.AcceptOptions{}, "")
				s.peer.Line.Write(append(s.peer.Encode(ws.Fin(3, "")), make([]byte, 100<<10)...))
				checkEnd(t, fails(1002), s.peer)
				checkEnded(t, s, websocket.StatusProtocolError)
			}
		})
	}
}

// FR-23: what is not WebSocket after the handshake is refused at once.
func TestGarbageAfterHandshake(t *testing.T) {
	var cases []conversation
	for name, garbage := range map[string]string{
		"HTTP request": "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"TLS hello":    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"random bytes": "\xf7\x1d\x90\x33\x8a\x02\x5e\xc1",
		"zeros":        strings.Repeat("\x00", 64),
	} {
		cases = append(cases, conversation{"FR-23 " + name, []step{{raw: []byte(garbage)}}, fails(1002)})
	}
	for _, s := range sides(t) {
		if !s.client { // zeros are good frames of a server: continuations of nothing
			play(t, []side{s}, websocket.AcceptOptions{}, cases)
		}
	}
}

// FR-17: a line that ends inside a message is an abnormal closure.
func TestLineEnds(t *testing.T) {
	for _, side := range sides(t) {
		for name, cut := range cuts {
			t.Run(side.name+"/"+name, func(t *testing.T) {
				s := side.open(t, websocket.AcceptOptions{}, "")
				s.peer.Send(begin(frame.Text, "half"))
				cut(s.peer.Line)
				checkEnded(t, s, websocket.StatusAbnormalClosure)
				if len(s.heard) > 0 {
					t.Errorf("%q was handed out", s.heard)
				}
			})
		}
	}
}
