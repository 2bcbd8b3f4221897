//go:build linux

package reactor

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/endpoint"
	"github.com/bellwire/bellwire/websocket/frame"
	"github.com/bellwire/bellwire/websocket/websockettest"
)

// still is a loop whose clock stands, and the line that it serves, with its peer's end.
func still(t *testing.T, config endpoint.Config, opts settings) (l *loop, c *line, peer net.Conn) {
	t.Helper()
	r := &Reactor{
		config:   Config{Loops: 1, Handler: Handler{Message: func(*Turn, websocket.MessageType, []byte) {}}}.defaults(),
		settings: make(map[settingsKey]*settings),
	}
	l, err := newLoop(r, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.poller.close)
	server, peer := websockettest.Sockets(t)
	c = l.table.take()
	if c.fd, err = takeOver(server, 0, false); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if c.state != free { // or else it has been closed
			closeDescriptor(c.fd)
		}
	})
	opts.config = config.Defaults()
	c.state, c.settings, c.interest = open, &opts, interestRead
	c.endpoint.Init(&opts.config, nil, l.now)
	return l, c, peer
}

// FL-01, FL-02: a line whose write timeout is over is judged by what the peer's system has taken since it was set.
func TestALateLineIsJudgedByItsProgress(t *testing.T) {
	const timeout = time.Second
	l, c, _ := still(t, endpoint.Config{}, settings{writeTimeout: timeout})
	held := untaken(c.fd) // nothing: what follows is as if there had been more
	c.backlog = &backlog{queue: []byte("waits"), due: l.now + timeout, untaken: held + progressBytesMin}

	l.now += timeout - 1
	if l.due(c); c.broken || c.backlog.due != l.now+1 {
		t.Errorf("judged before its time: ended %t, due in %v", c.broken, c.backlog.due-l.now)
	}
	l.now++
	if l.due(c); c.broken || c.backlog.due != l.now+timeout || c.backlog.untaken != held {
		t.Errorf("it has taken enough: ended %t, due in %v, %d bytes held", c.broken, c.backlog.due-l.now, c.backlog.untaken)
	}
	c.backlog.untaken = held + progressBytesMin - 1
	l.now += timeout
	if l.due(c); !c.broken {
		t.Error("it has taken too little and is kept")
	}
}

// FL-12: a loop that was held up for longer than any peer may be silent reads what has come meanwhile before it gives
// anybody up.
func TestAStoppedLoopGivesNobodyUp(t *testing.T) {
	const interval, patience = time.Minute, 10 * time.Second
	for _, answers := range []bool{true, false} {
		l, c, peer := still(t, endpoint.Config{PingInterval: interval, PongTimeout: patience}, settings{})
		l.now += interval
		l.due(c)
		ping := make([]byte, 2)
		if _, err := io.ReadFull(peer, ping); err != nil || string(ping) != "\x89\x00" {
			t.Fatalf("%q %v, want a ping", ping, err)
		}
		if answers {
			if _, err := peer.Write(websockettest.Fin(frame.Pong, "").Append(nil, true)); err != nil {
				t.Fatal(err)
			}
			for got := 0; got == 0; { // until it is there
				got, _ = peekAt(c.fd, l.input)
			}
		}
		l.now += 10 * interval // how long the loop is held up
		l.due(c)
		if kept := c.state == open && !c.broken; kept != answers {
			t.Errorf("a peer that answers, %t, was kept: %t", answers, kept)
		}
	}
}
