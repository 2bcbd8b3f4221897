package reactor

import (
	"errors"
	"io"
	"time"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/deflate"
	"github.com/bellwire/bellwire/websocket/endpoint"
	"github.com/bellwire/bellwire/websocket/frame"
)

// errDry says that nothing is there to be read.
var errDry = errors.New("nothing to read")

// arrival is a connection on its way to its loop.
type arrival struct {
	fd       int32
	first    []byte // came with the handshake
	settings *settings
	deflate  *deflate.Conn
	data     any
}

// attach begins a connection.
func (l *loop) attach(a *arrival) {
	c := l.table.take()
	c.fd = a.fd
	c.settings = a.settings
	c.data = a.data
	if c.state = streaming; a.settings.stream == nil {
		c.state = open
		c.compresses = a.deflate != nil
		c.endpoint.Init(&a.settings.config, a.deflate, l.now)
	}
	c.interest = interestRead
	if err := l.poller.add(c.fd, c.slot, c.generation, c.interest); err != nil {
		l.doom(c, err)
	}
	l.start(c, a.first)
}

// start tells the program of a connection, and hands out what it has sent already.
func (l *loop) start(c *line, first []byte) {
	if open := l.reactor.config.Handler.Open; open != nil {
		l.guard(c, func() { open(l.at(c)) })
	}
	if l.draining != nil {
		l.at(c).Close(l.draining.code, l.draining.reason)
	}
	if c.state == open {
		if len(first) > 0 {
			c.endpoint.Receive(first, l.now)
		}
		l.pump(c)
	}
	l.schedule(c)
}

// readable reads what is there, acts on all of it, and answers at once. It reads
// once, and again at the end of the stream, which is no edge of its own; where more
// is there than the buffer holds, the other lines have their turn first.
func (l *loop) readable(c *line, end bool) {
	for c.interest&interestRead != 0 && !c.broken && !c.held && c.state != free {
		n, err := receive(c.fd, l.input)
		switch {
		case err == errDry:
			return
		case err != nil:
			l.doom(c, err)
			return
		case n == 0:
			l.doom(c, io.EOF)
			return
		case c.state == open:
			c.endpoint.Receive(l.input[:n], l.now)
			l.pump(c)
			poison(l.input[:n])
		case c.state == streaming:
			l.doom(c, ErrUnasked)
			return
		}
		if n == len(l.input) {
			l.readAgain(c)
			return
		}
		if !end {
			return // a short read has taken all there was
		}
	}
}

// pump hands out what the endpoint has, and sends what comes of it.
func (l *loop) pump(c *line) {
	defer l.recovered(c)
	l.lend(c)
	message := l.reactor.config.Handler.Message
	t := l.at(c)
	for !c.broken {
		opcode, payload := c.endpoint.Whole()
		if opcode == frame.Continuation {
			switch event := c.endpoint.Next(l.now); event.Kind {
			case endpoint.Message:
				opcode, payload = event.Opcode, event.Payload
			case endpoint.None:
				l.flush(c)
				return
			case endpoint.Inflating:
				if !l.mayInflate(c, event.First) {
					l.flush(c)
					return
				}
				continue
			case endpoint.Closed:
				l.flush(c)
				l.finish(c, event)
				return
			default:
				continue
			}
		}
		message(t, websocket.MessageType(opcode), payload)
		if c.endpoint.Pending() > outBytes {
			l.relieve(c)
		}
	}
}

// relieve sends replies of which there are many, before more are made.
func (l *loop) relieve(c *line) {
	l.flush(c)
	l.lend(c)
}

// lend gives the endpoint of a line a buffer for its output, so that none is held
// between turns. What is to be sent of a fan-out comes before what follows.
func (l *loop) lend(c *line) {
	if !c.lent {
		l.lendBuffer(c)
	}
}

func (l *loop) lendBuffer(c *line) {
	var buf []byte
	if n := len(l.spare); n > 0 {
		buf, l.spare = l.spare[n-1], l.spare[:n-1]
	} else {
		buf = make([]byte, 0, spareBytes)
	}
	c.endpoint.Lend(append(buf, l.takeRun(c)...))
	c.lent = true
	l.lent++
}

// flush sends all output of a line in one system call.
func (l *loop) flush(c *line) {
	if run := l.takeRun(c); len(run) > 0 {
		l.write(c, run)
		return
	}
	if c.isStream() {
		return
	}
	out := c.endpoint.Output()
	if len(out) > 0 {
		l.write(c, out)
	}
	if c.lent {
		c.lent = false
		l.lent--
		poison(out[:cap(out)])
		if cap(out) <= spareBytesMax && len(l.spare) < spareMax {
			l.spare = append(l.spare, out[:0])
		}
	}
}

// write gives bytes to the socket, and queues what it does not take.
func (l *loop) write(c *line, b []byte) {
	if c.broken {
		return
	}
	if c.backlog != nil && len(c.backlog.queue) > 0 {
		l.queue(c, b)
		return
	}
	if n, err := send(c.fd, b); n < len(b) {
		l.unsent(c, b[n:], err)
	}
}

// unsent queues what a socket did not take, or ends the line if that failed.
func (l *loop) unsent(c *line, rest []byte, err error) {
	switch {
	case err != nil:
		l.doom(c, err)
	default:
		l.queue(c, rest)
		if c.settings.writeTimeout > 0 && !c.broken {
			c.backlog.due = l.now + c.settings.writeTimeout
			c.backlog.untaken = untaken(c.fd)
			l.schedule(c)
		}
	}
}

// queue keeps bytes until the socket takes them.
func (l *loop) queue(c *line, b []byte) {
	if c.backlog == nil {
		c.backlog = new(backlog)
	}
	q := c.backlog
	if len(q.queue)-q.sent+len(b) > l.reactor.config.QueueBytesMax {
		l.doom(c, ErrSlow)
		return
	}
	if q.sent > len(q.queue)/2 {
		q.queue = q.queue[:copy(q.queue, q.queue[q.sent:])]
		q.sent = 0
	}
	q.queue = append(q.queue, b...)
	l.watch(c)
}

// writable sends what was queued.
func (l *loop) writable(c *line) {
	q := c.backlog
	if q == nil || len(q.queue) == 0 || c.broken {
		return
	}
	for q.sent < len(q.queue) {
		n, err := send(c.fd, q.queue[q.sent:])
		switch {
		case err != nil:
			l.doom(c, err)
			return
		case n == 0:
			q.untaken = untaken(c.fd)
			l.watch(c)
			return
		case c.settings.writeTimeout > 0 && c.lives():
			q.due = l.now + c.settings.writeTimeout // judged by progress
		}
		q.sent += n
	}
	q.queue, q.sent = nil, 0
	if c.state == lingering {
		shutdownWrite(c.fd)
	} else {
		q.due = 0
		if drained := l.reactor.config.Handler.Drained; drained != nil {
			l.guard(c, func() { drained(l.at(c)) })
			l.flush(c)
		}
	}
	l.rest(c)
	l.watch(c)
}

// rest forgets a backlog in which nothing is left.
func (l *loop) rest(c *line) {
	if q := c.backlog; q != nil && len(q.queue) == 0 && len(q.tasks) == 0 && !q.running && q.due == 0 {
		c.backlog = nil
	}
}

// watch makes epoll watch for what the line can use. While much output waits, or
// a task that was handed off runs, nothing more is read: the peer is slowed
// down by its own socket.
func (l *loop) watch(c *line) {
	interest := uint16(interestRead)
	if q := c.backlog; q != nil {
		if len(q.queue) > 0 {
			interest |= interestWrite
		}
		if c.state == open && (len(q.queue)-q.sent > readPauseBytes || q.running) {
			interest &^= interestRead
		}
	}
	if interest != c.interest {
		c.interest = interest
		if c == l.greeted {
			return // epoll does not know of it yet
		}
		if err := l.poller.modify(c.fd, c.slot, c.generation, interest); err != nil {
			l.doom(c, err) // it would never be heard of again
		}
	}
}

// schedule puts a line where the wheel finds it in time.
func (l *loop) schedule(c *line) {
	if c.isStream() {
		l.scheduleStream(c)
		return
	}
	due, ok := c.endpoint.Deadline()
	if q := c.backlog; q != nil && q.due != 0 && (!ok || q.due < due) {
		due, ok = q.due, true
	}
	if interval := c.settings.config.PingInterval; interval > 0 {
		due = min(due, l.now+interval) // a pong makes the deadline sooner where a ping may wait longer for it
	}
	if ok {
		l.wheel.put(&l.table, c, max(due, l.now+1))
	}
}

// due looks at a line whose time has come, or that the wheel was asked to look at.
func (l *loop) due(c *line) {
	if c.state == greeting {
		l.doom(c, errSlowHead)
		return
	}
	if q := c.backlog; q != nil && q.due != 0 && l.now >= q.due && !l.progresses(c) {
		l.doom(c, ErrSlow)
		return
	}
	if c.isStream() {
		l.dueStream(c)
		return
	}
	if due, ok := c.endpoint.Deadline(); ok && l.now >= due {
		if c.interest&interestRead == 0 || c.held {
			l.wheel.put(&l.table, c, l.now+time.Second) // not read, and so not judged
			return
		}
		if c.endpoint.Awaits() {
			// A peer is judged by what it has sent, not by what was read. Only then: of an idle line this read was
			// a thirteenth of what it costs.
			l.readable(c, true)
			if c.broken || c.state != open {
				return
			}
		}
		c.endpoint.Tick(l.now)
		l.pump(c)
	}
	if c.state != free {
		l.schedule(c)
	}
}

// progresses puts the write timeout of a line off if its peer has taken something since it was set. The system
// says that a socket is writable again only when a third of its buffer is free: over a slow
// link that takes longer than any timeout.
func (l *loop) progresses(c *line) bool {
	q, left := c.backlog, untaken(c.fd)
	if !c.lives() || c.settings.writeTimeout <= 0 || left > q.untaken-progressBytesMin {
		return false
	}
	q.untaken = left
	q.due = l.now + c.settings.writeTimeout
	return true
}

// finish ends a connection whose endpoint has ended. To close a socket while bytes
// from the peer are unread resets it, and the peer may then never see the close frame: so
// this side stops sending, and waits for the peer to do the same.
func (l *loop) finish(c *line, last endpoint.Event) {
	l.closed(c, websocket.EndError(last, nil))
	c.state = lingering // and open no more, also if the socket has failed under its last frame: the program was told
	if c.broken {
		return
	}
	if last.Status == frame.StatusAbnormal {
		l.release(c)
		return
	}
	l.linger(c)
}

// linger stops sending, once all has gone out, and waits for the peer.
func (l *loop) linger(c *line) {
	if c.backlog == nil {
		c.backlog = new(backlog)
	}
	c.backlog.due = l.now + c.settings.config.CloseTimeout
	if len(c.backlog.queue) == 0 {
		shutdownWrite(c.fd)
	}
	l.watch(c)
	l.schedule(c)
}

// abandon ends a line at once.
func (l *loop) abandon(c *line, err error) {
	switch c.state {
	case greeting:
		l.left(c)
	case open:
		c.endpoint.ReceiveEOF()
		last := c.endpoint.Next(l.now)
		l.flush(c) // gives the buffer back
		if errors.Is(err, io.EOF) {
			err = nil
		}
		l.closed(c, websocket.EndError(last, err))
	case streaming:
		l.closed(c, err)
	}
	l.release(c)
}

// closed tells the program, once.
func (l *loop) closed(c *line, err error) {
	l.leaveAll(c)
	if c.backlog != nil {
		c.backlog.tasks = nil
	}
	if closed := l.reactor.config.Handler.Closed; closed != nil {
		l.guard(c, func() { closed(l.at(c), err) })
	}
	c.data = nil
}

// release lets go of a line. The system ends the connection.
func (l *loop) release(c *line) {
	l.takeRun(c)
	l.wheel.remove(&l.table, c)
	closeDescriptor(c.fd)
	l.table.giveBack(c)
	l.reactor.population.leave()
}
