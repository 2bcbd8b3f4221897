package sse

import (
	"bytes"
	"strconv"

	"github.com/bellwire/bellwire/realtime"
)

const (
	idField    = "id: "
	retryField = "retry: "
	dataField  = "data: "
)

// head is what stands before the data of an event.
type head struct {
	channel     string // "": no id
	position    realtime.Position
	retryMillis int64 // 0: no retry
}

// headAt is empty where the position is none, or has what an id cannot say.
func headAt(channel string, position realtime.Position) head {
	if !fitsID(channel, position) {
		return head{}
	}
	return head{channel: channel, position: position}
}

// bytesMax is how long the fields of the head can become.
func (h *head) bytesMax() int {
	size := 0
	if h.channel != "" {
		size += len(idField) + len(h.channel) + len("|") + len(h.position.Epoch) + len("|") + offsetBytesMax + len("\n")
	}
	if h.retryMillis > 0 {
		const retryBytesMax = 19 // digits of an int64
		size += len(retryField) + retryBytesMax + len("\n")
	}
	return size
}

func (h *head) append(dst []byte) []byte {
	if h.channel != "" {
		dst = append(dst, idField...)
		dst = appendPart(dst, h.channel, h.position)
		dst = append(dst, '\n')
	}
	if h.retryMillis > 0 {
		dst = append(dst, retryField...)
		dst = strconv.AppendInt(dst, h.retryMillis, 10)
		dst = append(dst, '\n')
	}
	return dst
}

// newEvent makes one event of one message, without the line feeds at its end. A message has no line end inside; should it
// have one, the lines of the message become lines of the event's data, so that nobody breaks out of it (SE-01).
func newEvent(h head, message []byte) []byte {
	text := bytes.TrimRight(message, "\n")
	// CRLF counts twice, and leaves a few bytes unused.
	linesMax := 1 + bytes.Count(text, []byte{'\n'}) + bytes.Count(text, []byte{'\r'})
	event := make([]byte, 0, h.bytesMax()+len(text)+linesMax*(len(dataField)+len("\n"))+len("\n"))
	event = h.append(event)
	if linesMax == 1 {
		return append(appendData(event, text), '\n')
	}
	for more := true; more; {
		var line []byte
		line, text, more = cutLine(text)
		event = appendData(event, line)
	}
	return append(event, '\n')
}

func appendData(dst, line []byte) []byte {
	dst = append(dst, dataField...)
	dst = append(dst, line...)
	return append(dst, '\n')
}

// cutLine splits text at its first line end (WHATWG HTML 9.2.5: CRLF, LF or CR). more is false when there is none.
func cutLine(text []byte) (line, rest []byte, more bool) {
	i := bytes.IndexAny(text, "\r\n")
	if i < 0 {
		return text, nil, false
	}
	line, rest = text[:i], text[i+1:]
	if text[i] == '\r' {
		rest = bytes.TrimPrefix(rest, []byte{'\n'})
	}
	return line, rest, true
}

// cutID returns the id of an event of newEvent, and what follows its line.
func cutID(event []byte) (id, rest []byte, ok bool) {
	after, ok := bytes.CutPrefix(event, []byte(idField))
	if !ok {
		return nil, nil, false
	}
	return bytes.Cut(after, []byte{'\n'})
}

// Data returns the data of one event of a Protocol, as whoever reads it gets it.
func Data(event []byte) (data []byte) {
	for more := true; more; {
		var line []byte
		line, event, more = cutLine(event)
		if text, isData := bytes.CutPrefix(line, []byte(dataField)); isData {
			if data != nil {
				data = append(data, '\n')
			}
			data = append(data, text...)
		}
	}
	return data
}
