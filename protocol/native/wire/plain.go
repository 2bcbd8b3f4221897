package wire

import (
	"sync"
	"unicode/utf8"

	"github.com/bellwire/bellwire/realtime"
)

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

// publish reads a whole document that is a publish in one go. The description of its fields, which is asked of each member what
// to make of it, gives the same and takes twice as long.
func (s *scanner) publish() (ClientMessage, bool) {
	var id uint64
	var m *Publish
	end := s.members(s.space(0), func(name []byte, at int) int {
		switch string(name) {
		case "id":
			return s.integer(at, &id, IDMax)
		case "publish":
			m = new(Publish)
			return s.members(at, func(name []byte, at int) int { return s.publishMember(m, name, at) })
		}
		return -1
	})
	if end < 0 || s.space(end) < len(s.doc) || m == nil || m.Channel == "" || m.Payload.IsNone() {
		return ClientMessage{}, false
	}
	return ClientMessage{ID: uint32(id), Command: m}, true
}

// publishMember is publishFields.
func (s *scanner) publishMember(m *Publish, name []byte, at int) int {
	switch string(name) {
	case "channel":
		return s.plainText(at, &m.Channel, nameBytesMax)
	case "id":
		return s.plainText(at, &m.ID, realtime.PublicationIDBytesMax)
	case "data":
		end := s.value(at)
		if end > 0 {
			m.Payload = realtime.JSON(compact(s.doc[at:end]))
		}
		return end
	case "echo":
		if end := s.literal(at, "false"); end > 0 {
			m.NoEcho = true
			return end
		}
		return s.literal(at, "true")
	}
	return -1
}

// plainText is a string of at most some bytes without any escape.
func (s *scanner) plainText(at int, text *string, bytesMax int) int {
	if !s.is(at, '"') {
		return -1
	}
	end, escaped := s.text(at)
	if end < 0 || escaped || end-at-2 > bytesMax {
		return -1
	}
	*text = string(s.doc[at+1 : end-1])
	return end
}

// integer is a number of digits only.
func (s *scanner) integer(at int, n *uint64, max uint64) int {
	end := s.value(at)
	if end < 0 {
		return -1
	}
	var ok bool
	if *n, ok = parseInteger(s.doc[at:end]); !ok || *n > max {
		return -1
	}
	return end
}

// scanClient reads one document of a client. ok is false where it is not plain, and where it is wrong.
func scanClient(one []byte) (m ClientMessage, ok bool) {
	if !utf8.Valid(one) {
		return ClientMessage{}, false
	}
	s := takeScanning(one)
	defer s.release()
	if m, ok := s.scanner.publish(); ok {
		return m, true
	}
	s.scanner.reset(one)
	s.codec = codec{mode: readJSON, strict: true, json: &s.scanner}
	m, err := s.readClient()
	return m, err == nil
}
