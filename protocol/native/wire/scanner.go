package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// document is what a codec reads JSON from: a scanner, or the decoder of jsontext.
type document interface {
	PeekKind() jsontext.Kind
	ReadValue() (jsontext.Value, error)
	ReadToken() (jsontext.Token, error)
	SkipValue() error
}

// scanner reads a plain document as strictly as jsontext's decoder does, and in a quarter of its time: decoding was a seventh of
// a publish over WebSocket. It keeps no state between tokens that it could not look up in the document, and is not to
// say what is wrong: whatever it does not know to be right, which includes some rare things that are, it refuses, and the
// caller asks the decoder.
//
// Its tokens are views of the document.
type scanner struct {
	doc   []byte
	at    int
	ready bool // at is where the next token begins

	nested  [scanNestedMax]nesting // objects and arrays that are open, outermost first
	depth   int
	over    bool               // the document's one value has been read
	names   [scanNamesMax]span // of the members so far, of objects that are open
	nameLen int
}

// nesting is an object or array that is open.
type nesting struct {
	object bool
	tokens int // read so far; in an object those in even places are names
	names  int // place of its first name
}

// span is where a name stands, without its quotes.
type span struct{ start, end int }

// What passes these is left to the decoder.
const (
	scanNestedMax = 8 // opened by ReadToken; what ReadValue reads as a whole may be nested deeper
	scanNamesMax  = 48
)

// errNotPlain refuses a document; it never leaves the package.
var errNotPlain = errors.New("not a plain document")

// reset begins a document. One that is nested deeper than DepthMax must not come here.
func (s *scanner) reset(doc []byte) {
	s.doc, s.at, s.ready = doc, 0, false
	s.depth, s.over, s.nameLen = 0, false, 0
}

// PeekKind is 0 where no token can begin, and otherwise what the next one begins with; '0' for all numbers.
func (s *scanner) PeekKind() jsontext.Kind {
	if !s.separate() {
		return 0
	}
	if c := s.doc[s.at]; c != '-' && (c < '0' || c > '9') {
		return jsontext.Kind(c)
	}
	return '0'
}

// ReadValue reads a value, or the name of a member, as a whole.
func (s *scanner) ReadValue() (jsontext.Value, error) {
	if !s.separate() {
		return nil, errNotPlain
	}
	start := s.at
	end := -1
	if s.isName() {
		end = s.name(start, s.nested[s.depth-1].names)
	} else {
		end = s.value(start)
	}
	if end < 0 {
		return nil, errNotPlain
	}
	s.at = end
	s.passed()
	return s.doc[start:end], nil
}

// SkipValue is ReadValue.
func (s *scanner) SkipValue() error {
	_, err := s.ReadValue()
	return err
}

// ReadToken opens or closes an object or array. Which it was is not told: the caller has peeked. At the end of the document the
// error is io.EOF.
func (s *scanner) ReadToken() (jsontext.Token, error) {
	if s.over {
		if s.space(s.at) == len(s.doc) {
			return jsontext.Token{}, io.EOF
		}
		return jsontext.Token{}, errNotPlain
	}
	if !s.separate() {
		return jsontext.Token{}, errNotPlain
	}
	c := s.doc[s.at]
	switch {
	case (c == '{' || c == '[') && !s.isName() && s.depth < scanNestedMax:
		s.nested[s.depth] = nesting{object: c == '{', names: s.nameLen}
		s.depth++
		s.at, s.ready = s.at+1, false
	case (c == '}' || c == ']') && s.closes(c):
		s.depth--
		s.nameLen = s.nested[s.depth].names
		s.at++
		s.passed()
	default:
		return jsontext.Token{}, errNotPlain
	}
	return jsontext.Token{}, nil
}

// closes reports whether a bracket may stand here. After a comma or colon separate has let none through.
func (s *scanner) closes(c byte) bool {
	if s.depth == 0 {
		return false
	}
	n := &s.nested[s.depth-1]
	return n.object && c == '}' && n.tokens%2 == 0 || !n.object && c == ']'
}

// isName reports whether the next token is the name of a member.
func (s *scanner) isName() bool {
	if s.depth == 0 {
		return false
	}
	n := &s.nested[s.depth-1]
	return n.object && n.tokens%2 == 0
}

// passed counts a token of the innermost object or array that is open.
func (s *scanner) passed() {
	s.ready = false
	if s.depth == 0 {
		s.over = true
		return
	}
	s.nested[s.depth-1].tokens++
}

// separate goes to where the next token begins, past the comma or colon before it. It is false where none can begin.
func (s *scanner) separate() bool {
	if s.ready {
		return true
	}
	if s.over {
		return false
	}
	at := s.space(s.at)
	if s.depth > 0 && s.nested[s.depth-1].tokens > 0 && at < len(s.doc) {
		n := &s.nested[s.depth-1]
		separator := byte(',')
		if n.object && n.tokens%2 == 1 {
			separator = ':'
		}
		switch c := s.doc[at]; {
		case c == separator:
			at = s.space(at + 1)
			if at < len(s.doc) && (s.doc[at] == '}' || s.doc[at] == ']') {
				return false
			}
		case separator == ',' && (c == '}' || c == ']'):
		default:
			return false
		}
	}
	if at >= len(s.doc) {
		return false
	}
	s.at, s.ready = at, true
	return true
}

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
	names := s.nameLen
	for first := true; ; first = false {
		at = s.space(at + 1) // past the brace or comma
		if first && s.is(at, '}') {
			return at + 1
		}
		if at = s.name(at, names); at < 0 {
			return -1
		}
		if at = s.space(at); !s.is(at, ':') {
			return -1
		}
		if at = s.value(s.space(at + 1)); at < 0 {
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

// scanning is a codec that reads from a scanner; it is pooled.
type scanning struct {
	codec
	scanner scanner
}

var scannings = sync.Pool{New: func() any { return new(scanning) }}

// takeScanning returns one with its scanner at the beginning of a document.
func takeScanning(doc []byte) *scanning {
	s := scannings.Get().(*scanning)
	s.scanner.reset(doc)
	return s
}

func (s *scanning) release() {
	s.codec = codec{}
	s.scanner.doc = nil
	scannings.Put(s)
}

// scanValue reports whether a document is one plain value.
func scanValue(doc []byte) bool {
	if !utf8.Valid(doc) {
		return false
	}
	s := takeScanning(doc)
	defer s.release()
	end := s.scanner.value(s.scanner.space(0))
	return end > 0 && s.scanner.space(end) == len(doc)
}

// scanClient reads one document of a client. ok is false where it is not plain, and where it is wrong.
func scanClient(one []byte) (m ClientMessage, ok bool) {
	if !utf8.Valid(one) {
		return ClientMessage{}, false
	}
	s := takeScanning(one)
	defer s.release()
	s.codec = codec{mode: readJSON, strict: true, json: &s.scanner}
	m, err := s.readClient()
	return m, err == nil
}
