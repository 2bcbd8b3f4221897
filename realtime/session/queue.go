package session

import (
	"sync"

	"github.com/bellwire/bellwire/realtime"
)

// queue holds encoded messages in the order in which they will be sent. It counts two kinds apart: what the client asked
// for (replies, snapshots, replayed entries), which is made only as there is room, and what happened, which comes
// whether there is room or not and is bounded by policy (LIV-6).
type queue struct {
	items []item // nil when empty: an idle session keeps nothing

	live, asked load // waiting
	flying      load // the batch that is being written; the driver bounds it
}

type item struct {
	bytes    []byte
	messages int32
	asked    bool

	// Of a live publication; nil otherwise.
	subscription *Subscription
	publication  *realtime.Publication
}

// arrays are the first memory of queues. A command's answer waits in one for as long as its carrier takes to look after the
// line, and the sixteen of a message grew it five times.
var arrays = sync.Pool{New: func() any { return new([arrayItems]item) }}

const arrayItems = 16

type load struct{ bytes, messages int }

func (l *load) add(i *item) { l.bytes += len(i.bytes); l.messages += int(i.messages) }
func (l *load) sub(i *item) { l.bytes -= len(i.bytes); l.messages -= int(i.messages) }

// fits reports whether n more bytes in one message are within a limit. A single message always fits: the limits of
// payloads bound it.
func (l *load) fits(n, bytesMax, messagesMax int) bool {
	return l.messages == 0 || l.bytes+n <= bytesMax && l.messages < messagesMax
}

func (q *queue) push(i item) {
	q.loadOf(&i).add(&i)
	if q.items == nil {
		q.items = arrays.Get().(*[arrayItems]item)[:0]
	}
	q.items = append(q.items, i)
}

func (q *queue) loadOf(i *item) *load {
	if i.asked {
		return &q.asked
	}
	return &q.live
}

// take moves messages of at most bytesMax bytes, or one message, to dst.
func (q *queue) take(dst [][]byte, bytesMax int) [][]byte {
	n, bytes := 0, 0
	for n < len(q.items) && (n == 0 || bytes+len(q.items[n].bytes) <= bytesMax) {
		i := &q.items[n]
		bytes += len(i.bytes)
		dst = append(dst, i.bytes)
		q.flying.add(i)
		q.loadOf(i).sub(i)
		*i = item{}
		n++
	}
	if n == len(q.items) {
		q.empty()
	} else {
		q.items = q.items[n:]
	}
	return dst
}

// written forgets the batch that take made.
func (q *queue) written() { q.flying = load{} }

// remove drops waiting messages that match and returns how many.
func (q *queue) remove(match func(*item) bool) (messages int) {
	kept := q.items[:0]
	for n := range q.items {
		i := &q.items[n]
		if !match(i) {
			kept = append(kept, *i)
			continue
		}
		messages += int(i.messages)
		q.loadOf(i).sub(i)
	}
	clear(q.items[len(kept):])
	if q.items = kept; len(kept) == 0 {
		q.empty()
	}
	return messages
}

// empty lets go of the memory of a queue whose items have all been cleared.
func (q *queue) empty() {
	if cap(q.items) == arrayItems {
		arrays.Put((*[arrayItems]item)(q.items[:arrayItems]))
	}
	q.items = nil
}

func (q *queue) isEmpty() bool { return len(q.items) == 0 }

// isFlying reports whether a batch is being written.
func (q *queue) isFlying() bool { return q.flying.messages > 0 }
