package wire

import (
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// document is what a codec reads JSON from: a scanner, or the decoder of jsontext.
type document interface {
	PeekKind() jsontext.Kind
	ReadValue() (jsontext.Value, error)
	ReadToken() (jsontext.Token, error)
	SkipValue() error
}

// scanner reads a plain document as strictly as jsontext's decoder does, and in two thirds of its time: decoding was a seventh of
// a publish over WebSocket. It is not to say what is wrong: whatever it does not know to be right, which includes some rare
// things that are, it refuses, and the caller asks the decoder.
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
