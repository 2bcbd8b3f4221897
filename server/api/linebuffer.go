package api

import "bytes"

// lineBytesKept is what an idle stream holds. net/http hands over at most that much at once of what has come in chunks.
const lineBytesKept = 16 << 10

// lineBuffer cuts what arrives into lines. It grows with an unfinished line, up to the limit, and forgets the bytes of one
// that is longer as they come. It reads nothing itself:
//
//	n, err := body.Read(b.space())
//	b.fill(n)
//	for line, long, ok := b.next(); ok; line, long, ok = b.next() { … }
type lineBuffer struct {
	limit int // bytes of a line, without its line feed; immutable

	buffer   []byte
	from, to int  // of the buffer: what is not cut yet
	scanned  int  // there is no line feed from from to here
	long     bool // the line that is being read is longer than the limit, and its beginning is forgotten
}

// space is where the next bytes belong; it is never empty.
func (b *lineBuffer) space() []byte {
	switch {
	case b.from == b.to:
		if len(b.buffer) != lineBytesKept {
			b.buffer = make([]byte, lineBytesKept)
		}
		b.from, b.to, b.scanned = 0, 0, 0
	case b.from > 0 && len(b.buffer)-b.to < len(b.buffer)/2:
		copy(b.buffer, b.buffer[b.from:b.to])
		b.to, b.scanned, b.from = b.to-b.from, b.scanned-b.from, 0
	}
	if b.to == len(b.buffer) {
		grown := make([]byte, min(2*len(b.buffer), max(b.limit+1, lineBytesKept+1)))
		copy(grown, b.buffer[:b.to])
		b.buffer = grown
	}
	return b.buffer[b.to:]
}

// fill says that n bytes of space were written.
func (b *lineBuffer) fill(n int) { b.to += n }

// next cuts the next line, without its line feed. The line is valid until space is called. Of one that is longer than the
// limit there is only that it is.
func (b *lineBuffer) next() (line []byte, long, ok bool) {
	at := bytes.IndexByte(b.buffer[b.scanned:b.to], '\n')
	if at < 0 {
		if b.long = b.long || b.to-b.from > b.limit; b.long {
			b.from = b.to
		}
		b.scanned = b.to
		return nil, false, false
	}
	line, b.from = b.buffer[b.from:b.scanned+at], b.scanned+at+1
	b.scanned = b.from
	return b.cut(line)
}

// last is the line that the end of the input ends, if there is one.
func (b *lineBuffer) last() (line []byte, long, ok bool) {
	if b.from == b.to && !b.long {
		return nil, false, false
	}
	line, b.from = b.buffer[b.from:b.to], b.to
	return b.cut(line)
}

func (b *lineBuffer) cut(line []byte) ([]byte, bool, bool) {
	long := b.long || len(line) > b.limit
	if b.long = false; long {
		return nil, true, true
	}
	return line, false, true
}
