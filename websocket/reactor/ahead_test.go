//go:build linux

package reactor_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/reactor"
	"github.com/bellwire/bellwire/websocket/websockettest"
)

// Lines that are ready together are read some at a time before they are acted on. Each gets its own answer, whole and
// in order, however much of the buffer the others have filled, and those that leave do not take others with them.
func TestLinesThatAreReadyTogether(t *testing.T) {
	for _, readBytes := range []int{64, 1 << 10, 0} {
		t.Run(fmt.Sprint(readBytes), func(t *testing.T) { readyTogether(t, readBytes) })
	}
}

func readyTogether(t *testing.T, readBytes int) {
	blocked, release := make(chan struct{}), make(chan struct{})
	_, url := serve(t, reactor.Config{Loops: 1, ReadBytes: readBytes, Handler: reactor.Handler{
		Message: func(turn *reactor.Turn, kind websocket.MessageType, payload []byte) {
			if string(payload) == "block" {
				close(blocked)
				<-release
				return
			}
			echo(turn, kind, payload)
		},
	}}, nil)
	blocker := peer(t, url, "")
	const lines = 150 // more than twice what is read ahead
	peers := make([]*websockettest.Peer, lines)
	for i := range peers {
		peers[i] = peer(t, url, "")
	}
	send(t, blocker, text("block"))
	<-blocked
	said := func(i int) []websockettest.Frame {
		long := strings.Repeat(fmt.Sprint(i, " "), 1+i%7*50)
		return []websockettest.Frame{text(fmt.Sprint("short ", i)), text(long), text(fmt.Sprint("last ", i))}
	}
	for i, p := range peers {
		send(t, p, said(i)...)
		if i%10 == 3 {
			p.Line.Close() // with what it has said unanswered
		}
	}
	for i, p := range peers {
		if i%10 != 3 {
			awaitArrival(t, p)
		}
	}
	close(release)
	for i, p := range peers {
		if i%10 != 3 {
			expect(t, p, said(i)...)
		}
	}
}
