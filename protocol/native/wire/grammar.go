package wire

import (
	"bytes"
	"encoding/binary"
)

// The functions below return where what begins at a place ends, or -1 where it is not what they look for.

func (s *scanner) space(at int) int {
	for at < len(s.doc) && isSpace(s.doc[at]) {
		at++
	}
	return at
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

func (s *scanner) value(at int) int {
	if at >= len(s.doc) {
		return -1
	}
	switch s.doc[at] {
	case '"':
		end, _ := s.text(at)
		return end
	case '{':
		return s.object(at)
	case '[':
		return s.array(at)
	case 't':
		return s.literal(at, "true")
	case 'f':
		return s.literal(at, "false")
	case 'n':
		return s.literal(at, "null")
	}
	return s.number(at)
}

func (s *scanner) object(at int) int {
	return s.members(at, func(_ []byte, at int) int { return s.value(at) })
}

// members is an object, of whose members each value is read by a function that is told the name.
func (s *scanner) members(at int, value func(name []byte, at int) (end int)) int {
	if !s.is(at, '{') {
		return -1
	}
	names := s.nameLen
	for first := true; ; first = false {
		at = s.space(at + 1) // past the brace or comma
		if first && s.is(at, '}') {
			return at + 1
		}
		end := s.name(at, names)
		if end < 0 {
			return -1
		}
		name := s.doc[at+1 : end-1]
		if at = s.space(end); !s.is(at, ':') {
			return -1
		}
		if at = value(name, s.space(at+1)); at < 0 {
			return -1
		}
		at = s.space(at)
		if s.is(at, '}') {
			s.nameLen = names
			return at + 1
		}
		if !s.is(at, ',') {
			return -1
		}
	}
}

func (s *scanner) array(at int) int {
	for first := true; ; first = false {
		at = s.space(at + 1) // past the bracket or comma
		if first && s.is(at, ']') {
			return at + 1
		}
		if at = s.value(at); at < 0 {
			return -1
		}
		at = s.space(at)
		if s.is(at, ']') {
			return at + 1
		}
		if !s.is(at, ',') {
			return -1
		}
	}
}

func (s *scanner) is(at int, c byte) bool { return at < len(s.doc) && s.doc[at] == c }

// name is a member's name, other than those of its object so far, which begin at a place of names.
func (s *scanner) name(at, first int) int {
	if !s.is(at, '"') || s.nameLen == scanNamesMax {
		return -1
	}
	end, escaped := s.text(at)
	if end < 0 || escaped { // the same name may be written in two ways
		return -1
	}
	name := span{at + 1, end - 1}
	for _, other := range s.names[first:s.nameLen] {
		if string(s.doc[name.start:name.end]) == string(s.doc[other.start:other.end]) {
			return -1
		}
	}
	s.names[s.nameLen] = name
	s.nameLen++
	return end
}

// text is a string without \u. That the document is UTF-8 was checked as a whole. Nearly every string is one without a backslash, and
// is read in strides: of 128 bytes that takes a third of the time.
func (s *scanner) text(at int) (end int, escaped bool) {
	at++
	if n := bytes.IndexByte(s.doc[at:], '"'); n >= 0 && isPlain(s.doc[at:at+n]) {
		return at + n + 1, false
	}
	for ; at < len(s.doc); at++ {
		switch c := s.doc[at]; {
		case c == '"':
			return at + 1, escaped
		case c < 0x20:
			return -1, false
		case c == '\\':
			at++
			if at == len(s.doc) || bytes.IndexByte([]byte(`"\/bfnrt`), s.doc[at]) < 0 {
				return -1, false
			}
			escaped = true
		}
	}
	return -1, false
}

// isPlain reports whether text has neither a backslash nor a control character.
func isPlain(text []byte) bool {
	const ones = 0x0101010101010101
	if bytes.IndexByte(text, '\\') >= 0 {
		return false
	}
	for ; len(text) >= 8; text = text[8:] {
		// The highest bit of a byte stays set where taking a space off borrows, and the byte had none itself.
		word := binary.LittleEndian.Uint64(text)
		if (word-0x20*ones)&^word&(0x80*ones) != 0 {
			return false
		}
	}
	for _, c := range text {
		if c < 0x20 {
			return false
		}
	}
	return true
}

func (s *scanner) literal(at int, word string) int {
	if end := at + len(word); end <= len(s.doc) && string(s.doc[at:end]) == word {
		return end
	}
	return -1
}

// number is RFC 8259 6: no leading zero, no plus, digits on both sides of the point.
func (s *scanner) number(at int) int {
	if s.is(at, '-') {
		at++
	}
	whole := at
	if at = s.digits(at); at < 0 || s.doc[whole] == '0' && at > whole+1 {
		return -1
	}
	if s.is(at, '.') {
		if at = s.digits(at + 1); at < 0 {
			return -1
		}
	}
	if s.is(at, 'e') || s.is(at, 'E') {
		at++
		if s.is(at, '+') || s.is(at, '-') {
			at++
		}
		at = s.digits(at)
	}
	return at
}

// digits are at least one.
func (s *scanner) digits(at int) int {
	end := at
	for end < len(s.doc) && '0' <= s.doc[end] && s.doc[end] <= '9' {
		end++
	}
	if end == at {
		return -1
	}
	return end
}
