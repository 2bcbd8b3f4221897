package history

import (
	"slices"
	"time"

	"github.com/bellwire/bellwire/realtime"
)

// EntryOverheadBytes is about what one entry takes beside its payload, for whoever counts memory.
const EntryOverheadBytes = 256

// Limits bound a Log. An entry goes when the first of them is reached (POS-3).
type Limits struct {
	EntriesMax int
	AgeMax     time.Duration
	BytesMax   int // of payloads
}

// LimitsOf returns the limits that a namespace sets.
func LimitsOf(ns *realtime.Namespace) Limits {
	return Limits{EntriesMax: ns.HistoryEntriesMax, AgeMax: ns.HistoryAgeMax, BytesMax: ns.HistoryBytesMax}
}

// Log is the newest part of a channel's log.
type Log struct {
	entries ring[*realtime.Publication] // offsets Base() to top, each once, ascending
	top     uint64                      // offset of the newest entry there ever was; never decreases
	bytes   int                         // sum of payloadBytes of entries
}

// NewLog returns a log in which entries up to top have been, and none is held.
func NewLog(top uint64) Log { return Log{top: top} }

// Top is the offset of the newest entry there ever was, 0 when there was none.
func (l *Log) Top() uint64 { return l.top }

// Base is the offset of the oldest entry held, Top()+1 when none is.
func (l *Log) Base() uint64 { return l.top - uint64(l.entries.len()) + 1 }

// Len is how many entries are held.
func (l *Log) Len() int { return l.entries.len() }

// PayloadBytes is what the payloads held take together.
func (l *Log) PayloadBytes() int { return l.bytes }

// Bytes is about how much memory the entries held take.
func (l *Log) Bytes() int { return l.bytes + EntryOverheadBytes*l.entries.len() }

// Append adds an entry, whose Offset must be Top()+1. Limits are applied by Trim.
func (l *Log) Append(entry *realtime.Publication) {
	if entry.Offset != l.top+1 {
		panic("history: an entry must have the offset after the top")
	}
	l.top = entry.Offset
	l.entries.push(entry)
	l.bytes += payloadBytes(entry)
}

// Trim drops what passes the limits, oldest first.
func (l *Log) Trim(limits Limits, now time.Time) {
	for l.entries.len() > 0 {
		expired := !now.Before(l.entries.at(0).Time.Add(limits.AgeMax))
		if !expired && l.entries.len() <= limits.EntriesMax && l.bytes <= limits.BytesMax {
			return
		}
		l.DropOldest()
	}
}

// DropOldest drops the oldest entry, if there is one: for an owner whose memory is short.
func (l *Log) DropOldest() {
	if l.entries.len() > 0 {
		l.bytes -= payloadBytes(l.entries.pop())
	}
}

// OldestTime is the time of the oldest entry held.
func (l *Log) OldestTime() (time.Time, bool) {
	if l.entries.len() == 0 {
		return time.Time{}, false
	}
	return l.entries.at(0).Time, true
}

// After returns entries with offsets greater than offset, oldest first: at most limit of them, and at least one but no
// more than bytesMax of payloads. more says that there are others after them.
func (l *Log) After(offset uint64, limit, bytesMax int) (page []*realtime.Publication, more bool) {
	first := 0
	if base := l.Base(); offset >= base {
		first = int(min(offset-base+1, uint64(l.entries.len())))
	}
	available := l.entries.len() - first
	page = l.cut(l.entries.slice(first, min(available, limit)), bytesMax)
	return page, len(page) < available
}

// Before returns entries with offsets less than offset, newest first, under the same rules as After.
func (l *Log) Before(offset uint64, limit, bytesMax int) (page []*realtime.Publication, more bool) {
	available := 0
	if base := l.Base(); offset > base {
		available = int(min(offset-base, uint64(l.entries.len())))
	}
	count := min(available, limit)
	page = l.entries.slice(available-count, count)
	slices.Reverse(page)
	page = l.cut(page, bytesMax)
	return page, len(page) < available
}

// cut shortens a page to bytesMax of payloads, or to one entry.
func (l *Log) cut(page []*realtime.Publication, bytesMax int) []*realtime.Publication {
	if l.bytes <= bytesMax {
		return page
	}
	bytes := 0
	for i, entry := range page {
		bytes += payloadBytes(entry)
		if bytes > bytesMax && i > 0 {
			return slices.Clip(page[:i])
		}
	}
	return page
}

// Missed says what of the entries after since the log does not hold: nil when it holds all (SUB-4), a range (SUB-5), or,
// when since is of another epoch or beyond the top, only where it begins (SUB-6).
func (l *Log) Missed(epoch string, since realtime.Position) *realtime.Missed {
	from := min(since.Offset, realtime.OffsetMax-1) + 1
	switch {
	case since.Epoch != epoch:
		return &realtime.Missed{From: from}
	case since.Offset > l.top:
		return &realtime.Missed{From: from}
	case since.Offset+1 < l.Base():
		return &realtime.Missed{From: from, To: l.Base() - 1}
	}
	return nil
}

func payloadBytes(entry *realtime.Publication) int {
	if entry.State != nil {
		return len(entry.State.Key) + len(entry.State.Value.Bytes)
	}
	return len(entry.Payload.Bytes)
}
