package loadgen

import (
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire/realtime"
)

// answers are a publisher's commands that are on their way. The id of a command is that of its slot, which is free again
// when the answer is there (MSG-2).
type answers struct {
	channel *channel
	free    chan uint32    // slots that may be used
	sent    []atomic.Int64 // by slot: when; in nanoseconds of the run
}

// answerIDFirst is above the id of connect.
const answerIDFirst = 2

func (a *answers) init(target *channel, count int) {
	a.channel = target
	a.free = make(chan uint32, count)
	a.sent = make([]atomic.Int64, count)
	for slot := range count {
		a.free <- uint32(slot)
	}
}

func (a *answers) id(slot uint32, now time.Duration) uint32 {
	a.sent[slot].Store(int64(now))
	return slot + answerIDFirst
}

func (a *answers) published(r *run, id uint32, now time.Duration, offset uint64) {
	if slot, ok := a.slotOf(id); ok {
		r.answered(a.channel, offset, now-time.Duration(a.sent[slot].Load()))
		a.release(slot)
	}
}

func (a *answers) failed(r *run, id uint32, code realtime.Code) {
	r.fail(code.Name())
	if slot, ok := a.slotOf(id); ok {
		a.release(slot)
	}
}

// release gives a slot back; a second answer to one command gives nothing.
func (a *answers) release(slot uint32) {
	select {
	case a.free <- slot:
	default:
	}
}

// slotOf is false for an id that is not one of ours.
func (a *answers) slotOf(id uint32) (slot uint32, ok bool) {
	slot = id - answerIDFirst
	return slot, id >= answerIDFirst && int(slot) < len(a.sent)
}
