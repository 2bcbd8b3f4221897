package reactor

// A fan-out has two passes over dense arrays. The first marks: it walks the lines of
// a message and notes for each what leaves, in the order of the table, which the
// processor's own prefetching likes. The second sends, and finds all it needs in what was noted:
// the system call before it has thrown everything else out of the near caches, so that a look
// at the line cost 0.02 of it.

// departure is output that leaves before the loop waits.
type departure struct {
	slot     uint32
	fd       int32  // -1: the line has to be looked at
	from, to uint32 // of the palette; alike: none
}

// bytes returns how much of the palette is to be sent.
func (d *departure) bytes() uint32 {
	if d == nil {
		return 0
	}
	return d.to - d.from
}

// departing returns the departure of a line; nil: it has none. The line's own number is checked
// against the list, and so is never taken back.
func (l *loop) departing(c *line) *departure {
	if i := int(c.departure); l.departed <= i && i < len(l.departures) && l.departures[i].slot == c.slot {
		return &l.departures[i]
	}
	return nil
}

// departs makes the loop send what is there for a line before it waits.
func (l *loop) departs(c *line) {
	if l.departing(c) == nil {
		l.list(c, departure{slot: c.slot, fd: -1})
	}
}

func (l *loop) list(c *line, d departure) {
	c.departure = uint32(len(l.departures))
	l.departures = append(l.departures, d)
}

// takeRun returns what of the palette a line is to be sent, which the caller sees to.
func (l *loop) takeRun(c *line) []byte {
	d := l.departing(c)
	if d == nil {
		return nil
	}
	run := l.palette[d.from:d.to]
	d.fd, d.from, d.to = -1, 0, 0
	return run
}

// paint writes a frame to the palette of the loop's turn.
func (l *loop) paint(whole []byte) Frame {
	from := uint32(len(l.palette))
	l.palette = append(l.palette, whole...)
	return newFrame(from, uint32(len(l.palette)))
}

// mark notes that a line is to be sent a part of the palette, and reports false where
// it has to be sent otherwise. Only from where to where is noted; messages that
// follow each other are one run and leave in one system call. That costs
// nothing measurable over sending a ready buffer (0.94 to 0.97 of write), and several
// in one call are the only lever there is: 0.50 for two, 0.27 for four, 0.07 for sixteen.
func (l *loop) mark(c *line, f Frame) bool {
	from, to := f.run()
	d := l.departing(c)
	if d.bytes() > 0 {
		if d.to == from {
			d.to = to
			return true
		}
		if l.lent < spareMax && c.state == open {
			return false
		}
		l.flush(c) // a buffer for each line of a large fan-out would be too much: two calls instead
	}
	if c.broken || c.state != streaming && (c.state != open || c.lent || c.compresses || !c.endpoint.Open()) {
		return false
	}
	leaves := departure{c.slot, c.fd, from, to}
	if c.blocked() {
		leaves.fd = -1 // what waits for the peer goes first
	}
	if d == nil {
		l.list(c, leaves)
	} else {
		*d = leaves
	}
	return true
}

// depart writes what calls have left for lines: one system call each, whatever
// has gathered. After a number of them the loop looks after its other work.
func (l *loop) depart() {
	for range min(flushMax, len(l.departures)-l.departed) {
		d := l.departures[l.departed]
		if d.fd >= 0 {
			run := l.palette[d.from:d.to]
			if n, err := send(d.fd, run); n < len(run) {
				l.unsent(l.table.at(d.slot), run[n:], err)
			}
		} else if c := l.table.at(d.slot); c.state != free {
			l.flush(c)
		}
		l.departed++
	}
	if l.departed == len(l.departures) {
		l.departures, l.departed = l.departures[:0], 0
		poison(l.palette)
		if l.palette = l.palette[:0]; cap(l.palette) > paletteBytesMax {
			l.palette = nil
		}
	}
}
