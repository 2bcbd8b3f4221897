package loadgen

import (
	"bytes"
	"errors"
	"hash/maphash"
	"io"
	"sync/atomic"

	"github.com/bellwire/bellwire/protocol/native/wire"
)

// delivery is what a load needs to know of a publication.
type delivery struct {
	offset, prev uint64 // 0: the channel has no positions
	at           int64  // when it was sent
	stamped      bool   // it is one of ours
}

// memoSlots is how many messages are remembered, and memoBytesMax how large they may be.
const (
	memoSlots    = 256
	memoBytesMax = 64 << 10
)

// memo spares the subscribers of one channel from decoding the same bytes thousands of times: the server sends all of
// them the same. Comparing them is a fiftieth of decoding them.
type memo struct {
	seed  maphash.Seed
	slots [memoSlots]atomic.Pointer[memoEntry]
}

type memoEntry struct {
	message    []byte
	deliveries []delivery
}

func newMemo() *memo { return &memo{seed: maphash.MakeSeed()} }

// deliveries returns the deliveries that a message consists of, and false when there is something else in it.
func (m *memo) deliveries(format wire.Format, message []byte) ([]delivery, bool) {
	slot := &m.slots[maphash.Bytes(m.seed, message)%memoSlots]
	if entry := slot.Load(); entry != nil && bytes.Equal(entry.message, message) {
		return entry.deliveries, true
	}
	var found []delivery
	for decoder := wire.DecodeServer(format, message); ; {
		next, err := decoder.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		publication, ok := next.Body.(*wire.Publication)
		if err != nil || !ok {
			return nil, false
		}
		found = append(found, deliveryOf(publication))
	}
	if len(message) <= memoBytesMax {
		slot.Store(&memoEntry{message: bytes.Clone(message), deliveries: found})
	}
	return found, true
}

func deliveryOf(p *wire.Publication) delivery {
	d := delivery{offset: p.Offset, prev: p.Prev}
	d.at, d.stamped = stampOf(p.Payload.Bytes)
	return d
}

// follower counts what is missing or comes twice on one subscription.
type follower struct {
	last             uint64 // offset of the newest that came, or where the subscription began
	lost, duplicates uint64
}

// follow takes the next delivery and reports whether it is new.
func (f *follower) follow(d delivery) bool {
	switch {
	case d.offset == 0: // no positions, nothing to compare
		return true
	case d.offset <= f.last:
		f.duplicates++
		return false
	case d.prev > f.last: // POS-2
		f.lost += d.prev - f.last
	}
	f.last = d.offset
	return true
}
