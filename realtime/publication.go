package realtime

import "time"

// Position is a place in the log of a channel (POS-1). The zero Position means "none": no log, or not known.
type Position struct {
	Epoch  string // one life of the log; positions compare only within one epoch
	Offset uint64 // 0 is before the first entry
}

// IsZero reports whether p names no place.
func (p Position) IsZero() bool { return p == Position{} }

// OffsetMax is the largest offset and version: 2^53-1, so that every JSON reader has it exactly (MSG-7).
const OffsetMax = 1<<53 - 1

// Encoding says what the bytes of a Payload are.
type Encoding uint8

const (
	EncodingNone   Encoding = iota // no payload at all
	EncodingJSON                   // one compact, valid JSON value in UTF-8
	EncodingBinary                 // opaque bytes
)

// Payload is what an application sends: opaque to the server (MSG-8). Bytes are never changed after creation.
type Payload struct {
	Encoding Encoding
	Bytes    []byte
}

// JSON returns a Payload of one JSON value. The caller vouches that it is valid and compact.
func JSON(value []byte) Payload { return Payload{Encoding: EncodingJSON, Bytes: value} }

// Binary returns a Payload of opaque bytes.
func Binary(b []byte) Payload { return Payload{Encoding: EncodingBinary, Bytes: b} }

// IsNone reports whether there is no payload.
func (p Payload) IsNone() bool { return p.Encoding == EncodingNone }

// Publisher names who published; the zero Publisher is the application's backend (POS-8).
type Publisher struct {
	User       string
	Connection string
}

// StateChange is the part of a log entry that changes the channel's state (POS-7). Its version is the entry's offset.
type StateChange struct {
	Key     string
	Value   Payload // EncodingNone when Removed
	Removed bool
}

// Publication is one thing that happened in a channel. Exactly one of Payload and State is set.
// It is immutable once the backend has made it, and shared by everybody who reads it.
type Publication struct {
	Channel string
	Epoch   string // "" on a channel without log
	Offset  uint64 // 0 on a channel without log
	Prev    uint64 // the offset before it; Offset-1 unless entries were left out on purpose (POS-2)
	ID      string // idempotency id, or ""
	Time    time.Time
	From    Publisher
	Payload Payload
	State   *StateChange

	// SkipConnection is the connection that gets only a mark in place of this publication (PUB-2), or "".
	SkipConnection string

	// Pattern says that this copy is for the patterns that match its channel (SUB-10). No backend sets it.
	Pattern bool
}

// Mark returns what a connection gets in place of a publication that skips it (PUB-2, SRV-2): the channel and the
// position, neither payload nor state.
func (p *Publication) Mark() *Publication {
	return &Publication{Channel: p.Channel, Epoch: p.Epoch, Offset: p.Offset, Prev: p.Prev, Time: p.Time}
}

// IsMark reports whether p is only a mark.
func (p *Publication) IsMark() bool { return p.Payload.IsNone() && p.State == nil }

// WithoutPosition returns the publication as a pattern gets it (SUB-10).
func (p *Publication) WithoutPosition() *Publication {
	bare := *p
	bare.Epoch, bare.Offset, bare.Prev, bare.Pattern = "", 0, 0, true
	return &bare
}

// Entry is one key of a channel's state (SUB-8).
type Entry struct {
	Key     string
	Value   Payload
	Version uint64 // offset of the change that wrote it
}

// Missed is a range of offsets that the log holds no more (SUB-5). To is 0 when the end is unknown (SUB-6).
type Missed struct {
	From, To uint64
}
