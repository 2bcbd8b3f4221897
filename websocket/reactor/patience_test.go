//go:build linux

package reactor

import (
	"testing"
	"time"

	"github.com/bellwire/bellwire/websocket/endpoint"
	"github.com/bellwire/bellwire/websocket/websockettest"
)

// FL-01, FL-02: a line whose write timeout is over is judged by what the peer's system has taken since it was set, by the clock of
// the loop.
func TestALateLineIsJudgedByItsProgress(t *testing.T) {
	l, err := newLoop(&Reactor{config: Config{Loops: 1}.defaults()}, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer l.poller.close()
	server, _ := websockettest.Sockets(t)
	fd, err := takeOver(server, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	defer closeDescriptor(fd)
	const timeout = time.Second
	config := endpoint.Config{}.Defaults()
	c := l.table.take()
	c.fd, c.state, c.settings = fd, open, &settings{writeTimeout: timeout}
	c.endpoint.Init(&config, nil, l.now)
	held := untaken(fd) // nothing: what follows is as if there had been more
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
