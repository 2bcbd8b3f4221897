package sse

import (
	"bytes"
	"maps"
	"slices"

	"github.com/bellwire/bellwire/realtime"
)

// Positions is what one line has been sent, channel by channel. The zero value is ready. It is not for concurrent use.
//
// A channel whose subscription is refused or ends stays in the ids: a position is neither a wish nor a permission, and tells
// the client nothing that it has not been told.
type Positions struct {
	// parts of the id in the order in which their channels were noted, no channel twice. They are searched one by one: each
	// is written into the same id anyway, which costs more than looking at it.
	parts [][]byte
	lost  bool // there were more than an id can name
}

// Start notes the positions that the client came with, those of its Last-Event-ID, so that an id that is sent before all
// channels are subscribed again still names them. Positions of channels that are not of this line make its ids longer than
// IDBytes says.
func (p *Positions) Start(known map[string]realtime.Position) {
	for _, channel := range slices.Sorted(maps.Keys(known)) {
		if position := known[channel]; fitsID(channel, position) {
			p.note(appendPart(nil, channel, position))
		}
	}
}

// Rewrite appends an event of a Protocol to dst, its id replaced by the positions of all channels that the line has been
// sent, that of the event included. An event without id stays as it is: an EventSource keeps the id of before. Once the id
// would be longer than IDBytesMax it is empty, which makes an EventSource hold none: with that of before it would come back
// as if some channels were new.
func (p *Positions) Rewrite(dst, event []byte) []byte {
	part, rest, ok := cutID(event)
	if !ok {
		return append(dst, event...)
	}
	if !p.lost {
		p.note(part)
		p.lost = len(p.parts) > idPartsMax || p.idBytes() > IDBytesMax
	}
	if p.lost {
		p.parts = nil
		dst = append(dst, idField...)
		dst = append(dst, '\n')
		return append(dst, rest...)
	}
	dst = slices.Grow(dst, len(idField)+p.idBytes()+len("\n")+len(rest))
	dst = append(dst, idField...)
	for i, part := range p.parts {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = append(dst, part...)
	}
	dst = append(dst, '\n')
	return append(dst, rest...)
}

// note puts a part, which the caller keeps, in the place of the one of the same channel.
func (p *Positions) note(part []byte) {
	channel := part[:bytes.IndexByte(part, '|')+1] // with the bar, which ends the name
	for i, noted := range p.parts {
		if bytes.HasPrefix(noted, channel) {
			p.parts[i] = append(noted[:0], part...)
			return
		}
	}
	p.parts = append(p.parts, bytes.Clone(part))
}

// idBytes is the length of the id of one part or more.
func (p *Positions) idBytes() int {
	size := len(p.parts) - 1 // spaces
	for _, part := range p.parts {
		size += len(part)
	}
	return size
}
