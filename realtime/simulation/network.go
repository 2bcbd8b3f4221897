package simulation

import (
	"bytes"
	"time"

	"github.com/bellwire/bellwire/protocol/native/wire"
	"github.com/bellwire/bellwire/realtime"
)

// line is one connection of a client through the network.
type line struct {
	world  *world
	client *client
	number int   // the client's name for it
	conn   *conn // nil until the server has accepted it

	opensAt  time.Duration
	up, down []packet
	stalled  bool // the client does not read
	lost     bool // half-open: nothing goes through, and nobody is told
	hungUp   bool // the client has closed it
	broken   bool // cut: nothing goes through, and both ends are told some time
	tellAt   time.Duration
	told     bool // the client knows that it is over
	code     realtime.Code
	reason   string
}

// packet is one WebSocket message on its way.
type packet struct {
	bytes []byte
	at    time.Duration
}

func (w *world) packet(b []byte) packet {
	return packet{bytes: b, at: w.elapsed + time.Duration(w.random.IntN(w.delayMax))*time.Millisecond}
}

// open begins a line, unless the network refuses it.
func (w *world) open(c *client, number int) {
	l := &line{world: w, client: c, number: number, opensAt: w.elapsed + time.Duration(w.random.IntN(w.delayMax))*time.Millisecond}
	if w.faulty("refuse", 20) {
		l.broken, l.code = true, 1006
	}
	w.lines = append(w.lines, l)
}

func (w *world) lineOf(c *client, number int) *line {
	for _, l := range w.lines {
		if l.client == c && l.number == number {
			return l
		}
	}
	return nil
}

// hangUp is the client's close: the server learns of it later, or never.
func (l *line) hangUp() {
	l.hungUp, l.told = true, true
	l.up = nil
	if !l.broken && l.world.faulty("late close", 4) {
		l.lost = true // until the server's own patience ends
	}
}

// breakOff is a cut: both ends learn of it, each at its time.
func (l *line) breakOff() {
	if l.broken {
		return
	}
	l.broken, l.code = true, 1006
	l.tellAt = l.world.elapsed + time.Duration(l.world.random.IntN(l.world.delayMax))*time.Millisecond
	l.up, l.down = nil, nil
}

// step does what the line can do now and reports whether that was something.
func (l *line) step() bool {
	w := l.world
	switch {
	case l.conn == nil && !l.broken && !l.hungUp && w.elapsed >= l.opensAt:
		l.conn = w.server.accept(l)
		l.client.core.LineOpened(w.ms(), l.number)
	case l.broken && !l.told && w.elapsed >= l.tellAt:
		l.told = true
		l.client.core.LineClosed(w.ms(), l.number, l.code, l.reason)
	case (l.broken || l.hungUp && !l.lost) && l.conn != nil && !l.conn.gone:
		l.conn.lose()
	case l.conn != nil && !l.broken && !l.lost && l.ready(l.up):
		l.conn.receive(l.pop(&l.up))
	case l.conn != nil && !l.broken && !l.lost && !l.hungUp && !l.stalled && l.ready(l.down):
		l.deliver(l.pop(&l.down))
	default:
		return l.serverStep()
	}
	return true
}

func (l *line) ready(way []packet) bool { return len(way) > 0 && l.world.elapsed >= way[0].at }

func (l *line) pop(way *[]packet) []byte {
	first := (*way)[0]
	*way = (*way)[1:]
	return first.bytes
}

func (l *line) deliver(message []byte) {
	w := l.world
	w.note("%s reads %s", l.client.name, bytes.TrimSpace(message))
	decoder := wire.DecodeServer(wire.JSON, message)
	for m, err := decoder.Next(); err == nil; m, err = decoder.Next() {
		l.client.core.Received(w.ms(), l.number, &m)
		l.client.drain()
	}
}

// serverStep writes: a batch goes out when the client reads, and is done when it has been taken.
func (l *line) serverStep() bool {
	c := l.conn
	if c == nil || c.gone {
		return false
	}
	if c.batch {
		if l.stalled && len(l.down) > 4 {
			return false // the socket's buffer is full
		}
		c.batch = false
		c.core.Written()
		return true
	}
	if batch := c.core.Outgoing(nil, batchBytesMax); len(batch) > 0 {
		c.batch = true
		l.write(batch)
		return true
	}
	if code, reason, ok := c.core.Ended(); ok {
		l.code, l.reason = code, reason
		if !l.lost {
			l.breakOffAfterRest()
		}
		c.lose()
		return true
	}
	return c.work()
}

// takesMore reports whether the server's socket would take something at once.
func (l *line) takesMore() bool {
	return l.conn != nil && !l.conn.gone && !l.conn.batch && !l.lost && len(l.down) <= 4
}

// breakOffAfterRest is a close handshake: what is on its way still arrives.
func (l *line) breakOffAfterRest() {
	code, reason := l.code, l.reason
	for len(l.down) > 0 && !l.hungUp {
		l.deliver(l.pop(&l.down))
	}
	l.breakOff()
	l.code, l.reason = code, reason
}

// write joins the messages to one WebSocket message, or sends each alone.
func (l *line) write(batch [][]byte) {
	if l.world.random.IntN(2) == 0 {
		l.world.met("coalesce")
		l.down = append(l.down, l.world.packet(bytes.Join(batch, nil)))
		return
	}
	l.world.met("split")
	for _, message := range batch {
		l.down = append(l.down, l.world.packet(bytes.Clone(message)))
	}
}
