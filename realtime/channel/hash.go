package channel

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"math"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
	"github.com/bellwire/bellwire/realtime/history"
)

// hashPublication covers what the application published. Not who did: the same client comes back on another connection.
func hashPublication(draft *broker.Draft) history.Hash {
	h := sha256.New()
	writeField(h, []byte("publish"))
	writePayload(h, draft.Payload)
	return sum(h)
}

// hashUpdate covers every field that decides what the update does.
func hashUpdate(update *broker.Update) history.Hash {
	h := sha256.New()
	writeField(h, []byte("update"))
	writeField(h, []byte{byte(update.Op)})
	writeField(h, []byte(update.Key))
	writePayload(h, update.Value)
	writeNumber(h, math.Float64bits(update.By))
	writeNumber(h, update.Version)
	return sum(h)
}

func writePayload(h hash.Hash, p realtime.Payload) {
	h.Write([]byte{byte(p.Encoding)})
	writeField(h, p.Bytes)
}

// writeField writes the length first, so that no two lists of fields give the same bytes.
func writeField(h hash.Hash, field []byte) {
	writeNumber(h, uint64(len(field)))
	h.Write(field)
}

func writeNumber(h hash.Hash, n uint64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	h.Write(b[:])
}

func sum(h hash.Hash) (truncated history.Hash) {
	var full [sha256.Size]byte
	copy(truncated[:], h.Sum(full[:0]))
	return truncated
}
