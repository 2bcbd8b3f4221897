package reactor

import "slices"

// inflateStepsMax is how much of compressed messages a loop inflates in a turn beyond the first step of each, in
// endpoint.InflateStepBytes: what takes longer is put off. A mebibyte takes some four milliseconds.
const inflateStepsMax = 16

// mayInflate reports whether a line whose message takes longer may go on with it now. If not, the line is held: its turn
// is when the lines before it are done. A loop inflates one such message at a time, so that memory follows the limit of
// one message and not the number of bombs; what is inflated in one step waits for nobody.
func (l *loop) mayInflate(c *line, first bool) bool {
	own := reference{c.slot, c.generation}
	working := !first && len(l.inflating) > 0 && l.inflating[0] == own
	if (working || len(l.inflating) == 0) && l.inflateSteps > 0 {
		l.inflateSteps--
		return true
	}
	c.held = true
	if !working {
		c.endpoint.Hold() // its input is the loop's, and others are read before it goes on
		l.inflating = append(l.inflating, own)
	}
	return false
}

// inflateOn goes on with the lines that are held, the oldest first.
func (l *loop) inflateOn() {
	l.inflateSteps = inflateStepsMax
	for len(l.inflating) > 0 && l.inflateSteps > 0 {
		own := l.inflating[0]
		if c := l.table.find(own.slot, own.generation); c != nil && c.state == open && !c.broken {
			if !l.inflateLine(c) {
				return
			}
		}
		l.inflating = slices.Delete(l.inflating, 0, 1)
	}
}

// inflateLine reports whether the message is done.
func (l *loop) inflateLine(c *line) bool {
	waiting := len(l.inflating)
	c.held = false
	l.pump(c)
	switch {
	case !c.held: // what has come meanwhile has not been read
		l.readAgain(c)
		return true
	case len(l.inflating) > waiting: // another message of it takes longer, and waits behind the others
		return true
	}
	return false
}

// readAgain has a line read in the next turn.
func (l *loop) readAgain(c *line) {
	if !c.unread {
		c.unread = true
		l.unread = append(l.unread, reference{c.slot, c.generation})
	}
}
