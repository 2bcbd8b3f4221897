//go:build linux && race

package websocket_test

import (
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/bellwire/bellwire/websocket/internal/rawsocket"
	ws "github.com/bellwire/bellwire/websocket/websockettest"
)

// FL-14 and FL-09 over sockets: each system call of the driver's own fails in turn, in each way that it can, and from
// each on the system takes one byte at a time. What the net package calls, TestEveryOperationFails makes fail.
func TestEverySystemCallFails(t *testing.T) {
	defer rawsocket.SetFault(nil)
	const short = syscall.Errno(0)
	for _, mishap := range []struct {
		errno    syscall.Errno
		calls    string
		complete bool
	}{
		{syscall.EINTR, "recvfrom sendto", true},
		{syscall.EAGAIN, "sendto", true}, // the line is written to by its Write then
		{short, "sendto", true},
		{syscall.ECONNRESET, "recvfrom sendto", false},
		{syscall.EPIPE, "sendto", false},
		{syscall.ENOBUFS, "recvfrom sendto", false},
	} {
		for _, role := range roles {
			met := 0
			for n := int32(1); ; n++ {
				var left atomic.Int32
				left.Store(n)
				rawsocket.SetFault(func(call string, _ uintptr, size int) (int, syscall.Errno) {
					if !strings.Contains(mishap.calls, call) {
						return size, 0
					}
					switch now := left.Add(-1); {
					case mishap.errno == short && now <= 0:
						return min(size, 1), 0
					case mishap.errno != short && now == 0:
						return 0, mishap.errno
					}
					return size, 0
				})
				complete := talkOverTCP(t, role)
				if mishap.complete && !complete {
					t.Fatalf("%s: call %d of %s failed with %v", role, n, mishap.calls, mishap.errno)
				}
				if left.Load() > 0 {
					break
				}
				met++
			}
			if met < 4 {
				t.Errorf("%s: only %d calls of %s", role, met, mishap.calls)
			}
		}
	}
}

// talkOverTCP is talk over a line of its own.
func talkOverTCP(t *testing.T, role string) (complete bool) {
	engineLine, peerLine := ws.Sockets(t)
	if role == "client" {
		engineLine, peerLine = peerLine, engineLine
	}
	peerLine.SetDeadline(time.Now().Add(time.Minute)) // a bound for a hang
	defer peerLine.Close()
	defer engineLine.Close()
	return talk(role, engineLine, peerLine)
}
