package channel

import (
	"crypto/sha256"
	"encoding/binary"
	"math"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
	"github.com/bellwire/bellwire/realtime/history"
)

// hashedBytesUsual is what most commands with an id take: below it, hashing allocates nothing.
const hashedBytesUsual = 512

// The kinds of commands that have ids; they begin what is hashed.
const (
	kindPublish = 1
	kindUpdate  = 2
)

// hashPublication covers what the application published. Not who did: the same client comes back on another connection.
func hashPublication(draft *broker.Draft) history.Hash {
	content := append(make([]byte, 0, hashedBytesUsual), kindPublish)
	return hash(appendPayload(content, draft.Payload))
}

// hashUpdate covers every field that decides what the update does.
func hashUpdate(update *broker.Update) history.Hash {
	content := append(make([]byte, 0, hashedBytesUsual), kindUpdate, byte(update.Op))
	content = binary.BigEndian.AppendUint64(content, math.Float64bits(update.By))
	content = binary.BigEndian.AppendUint64(content, update.Version)
	content = binary.BigEndian.AppendUint64(content, uint64(len(update.Key)))
	content = append(content, update.Key...)
	return hash(appendPayload(content, update.Value))
}

// appendPayload comes last: every field before it has a length that is fixed or written, so that no two commands give
// the same bytes.
func appendPayload(content []byte, p realtime.Payload) []byte {
	return append(append(content, byte(p.Encoding)), p.Bytes...)
}

func hash(content []byte) (truncated history.Hash) {
	full := sha256.Sum256(content)
	copy(truncated[:], full[:])
	return truncated
}
