package conformance_test

import (
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/frame"
	ws "github.com/bellwire/bellwire/websocket/websockettest"
)

// recorded is a conversation with all kinds of frame, and the messages in it.
func recorded() (frames []ws.Frame, messages []string) {
	long := strings.Repeat("0123456789", 20)
	return []ws.Frame{
			text("first"), ping("p"), begin(frame.Text, "he"), goOn(""), pong("unasked"), goOn("ll"), finish("o, wörld"),
			binary(""), binary(long), begin(frame.Binary, long), ping(""), finish("\x00\xff"), text("last"), ws.CloseFrame(4000, "bye"),
		}, []string{
			"first", "hello, wörld", "", long, long + "\x00\xff", "last",
		}
}

// cuts are the ways in which a peer goes away: with the end of its stream, and at once.
var cuts = map[string]func(net.Conn){
	"FIN": func(line net.Conn) { line.(interface{ CloseWrite() error }).CloseWrite() },
	"RST": func(line net.Conn) {
		switch line := line.(type) {
		case *ws.Line:
			line.Reset()
		case *net.TCPConn:
			line.SetLinger(0)
			line.Close()
		}
	},
}

// G4: what comes is cut at every byte, by FIN and by RST: the messages before the
// cut are delivered, in order and once, and no part of another. After a FIN all of
// them, after a RST (which takes what was not read with it) the first of them.
func TestCutIncoming(t *testing.T) {
	frames, messages := recorded()
	for _, side := range sides(t) {
		for name, cut := range cuts {
			t.Run(side.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				wire, ends := record(side.open(t, websocket.AcceptOptions{}, "").peer, frames)
				for at := range wire {
					s := side.open(t, websocket.AcceptOptions{}, "")
					s.peer.Line.Write(wire[:at])
					cut(s.peer.Line)
					whole := 0
					for whole < len(ends) && ends[whole] <= at {
						whole++
					}
					checkCut(t, at, s, messages[:whole], name == "FIN")
				}
			})
		}
	}
}

// record writes frames as a peer sends them, and says where in that each message ends.
func record(peer *ws.Peer, frames []ws.Frame) (wire []byte, ends []int) {
	for _, f := range frames {
		wire = append(wire, peer.Encode(f)...)
		if f.Fin && f.Opcode < frame.Close {
			ends = append(ends, len(wire))
		}
	}
	return wire, ends
}

func checkCut(t *testing.T, at int, s *subject, messages []string, all bool) {
	t.Helper()
	checkEnded(t, s, websocket.StatusAbnormalClosure)
	s.peer.Line.Close()
	if len(s.heard) > len(messages) || !slices.Equal(s.heard, messages[:len(s.heard)]) {
		t.Fatalf("cut at %d: %q was handed out", at, s.heard)
	}
	if all && len(s.heard) != len(messages) {
		t.Fatalf("cut at %d: %d messages of %d were handed out", at, len(s.heard), len(messages))
	}
}
