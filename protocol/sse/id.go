package sse

import (
	"strconv"
	"strings"

	"github.com/bellwire/bellwire/realtime"
)

// IDBytesMax is how long an id may be that ParseID reads. It comes as a header, and many a proxy takes no longer one.
const IDBytesMax = 8 << 10

const (
	idPartsMax     = 1000
	epochBytesMax  = 32 // POS-1
	offsetBytesMax = 16 // digits of realtime.OffsetMax
)

// ParseID reads an id, as it comes back in Last-Event-ID. ok is false for what is no id of ours, all of which is to be
// ignored then (SE-02): a half-read id would resume some channels and silently not others.
func ParseID(id string) (positions map[string]realtime.Position, ok bool) {
	if id == "" || len(id) > IDBytesMax {
		return nil, false
	}
	parts := strings.Count(id, " ") + 1
	if parts > idPartsMax {
		return nil, false
	}
	positions = make(map[string]realtime.Position) // as large as what has been read: a stranger's id costs nothing yet
	for part := range strings.SplitSeq(id, " ") {
		channel, position, ok := parsePart(part)
		if !ok {
			return nil, false
		}
		positions[channel] = position
	}
	if len(positions) != parts { // a channel twice
		return nil, false
	}
	return positions, true
}

func parsePart(part string) (channel string, position realtime.Position, ok bool) {
	channel, rest, _ := strings.Cut(part, "|")
	epoch, digits, _ := strings.Cut(rest, "|")
	offset, ok := parseOffset(digits)
	position = realtime.Position{Epoch: epoch, Offset: offset}
	return channel, position, ok && fitsID(channel, position)
}

// parseOffset takes only the form that appendPart writes.
func parseOffset(digits string) (offset uint64, ok bool) {
	if len(digits) > 1 && digits[0] == '0' {
		return 0, false
	}
	offset, err := strconv.ParseUint(digits, 10, 64) // no sign
	return offset, err == nil
}

// fitsID reports whether an id can name the position.
func fitsID(channel string, position realtime.Position) bool {
	return isEpoch(position.Epoch) && position.Offset <= realtime.OffsetMax && realtime.CheckChannel(channel) == nil
}

// isEpoch reports whether epoch is one (POS-1).
func isEpoch(epoch string) bool {
	if epoch == "" || len(epoch) > epochBytesMax {
		return false
	}
	for i := range len(epoch) {
		if !isEpochByte(epoch[i]) {
			return false
		}
	}
	return true
}

func isEpochByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}

// appendPart writes one part of an id. The position fits one.
func appendPart(dst []byte, channel string, position realtime.Position) []byte {
	dst = append(dst, channel...)
	dst = append(dst, '|')
	dst = append(dst, position.Epoch...)
	dst = append(dst, '|')
	return strconv.AppendUint(dst, position.Offset, 10)
}

// IDBytes is how long the id of a line with these channels can become. Patterns have no position and count nothing.
func IDBytes(channels []string) int {
	size := 0
	for _, channel := range channels {
		if !realtime.IsPattern(channel) {
			size += len(channel) + len("|") + epochBytesMax + len("|") + offsetBytesMax + len(" ")
		}
	}
	return max(size-len(" "), 0) // between the parts only
}
