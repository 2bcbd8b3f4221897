package reactor

import "io"

// ahead is what has been read of a line and waits to be acted on.
type ahead struct {
	reference
	bytes []byte // of the loop's input
	err   error
	more  bool // the buffer may not have held all there was
}

// As many lines are read before the first of them is acted on, as long as they have sent little: what they have sent stays in the
// processor's fastest cache.
const (
	aheadLinesMax = 64
	aheadBytesMax = 32 << 10
)

// serveAll acts on what epoll says. Lines that have nothing but input are read some at a time, and then acted on in the same order:
// the system's way through a read, and this program's through a message, are each longer than the processor remembers
// code, so that doing one of them again and again costs less than both in turns. With 128 lines that publish it spared a
// sixteenth of the processor's time, and a twentieth of an echo on a thousand, of 4 KiB as of 128 bytes.
func (l *loop) serveAll(events []event) {
	room := l.input
	for i := range events {
		e := &events[i]
		c := l.readableOnly(e)
		if c == nil {
			l.actOnAhead()
			l.serve(e)
			room = l.input
			continue
		}
		n, err := receive(c.fd, room)
		if err == errDry {
			continue
		}
		l.ahead = append(l.ahead, ahead{reference{c.slot, c.generation}, room[:n:n], err, n == len(room)})
		room = room[n:]
		if used := len(l.input) - len(room); len(l.ahead) == aheadLinesMax || used >= aheadBytesMax || used >= len(l.input)/2 {
			l.actOnAhead()
			room = l.input
		}
	}
	l.actOnAhead()
}

// readableOnly returns the line of an event that says no more than that an open line can be read; nil for any other.
func (l *loop) readableOnly(e *event) *line {
	if e.Fd < 0 || e.Events != eventRead {
		return nil
	}
	c := l.table.find(uint32(e.Fd), uint32(e.Pad))
	if c == nil || c.state != open || c.broken || c.unread || c.held || c.interest&interestRead == 0 {
		return nil
	}
	return c
}

// actOnAhead acts on what has been read, as readable does.
func (l *loop) actOnAhead() {
	for i := range l.ahead {
		a := &l.ahead[i]
		if c := l.table.find(a.slot, a.generation); c != nil && c.state == open && !c.broken {
			l.actOn(c, a)
		}
	}
	l.ahead = l.ahead[:0]
}

func (l *loop) actOn(c *line, a *ahead) {
	switch {
	case a.err != nil:
		l.doom(c, a.err)
		return
	case len(a.bytes) == 0:
		l.doom(c, io.EOF)
		return
	}
	c.endpoint.Receive(a.bytes, l.now)
	l.pump(c)
	poison(a.bytes)
	if a.more {
		l.readAgain(c)
	}
}
