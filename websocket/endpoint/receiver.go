package endpoint

import (
	"sync"

	"github.com/bellwire/bellwire/websocket/frame"
)

// receiver is what an endpoint remembers of input. It comes from a pool and goes
// back as soon as input ends between two messages.
type receiver struct {
	in   []byte  // input not yet read
	held *buffer // memory behind in where it is this side's own; nil: it is the owner's

	// The frame in progress.
	inFrame   bool
	fin       bool
	opcode    frame.Opcode
	key       uint32 // mask key, turned to the next byte
	remaining uint64 // payload bytes that have not come
	head      [frame.HeaderBytesMax]byte
	headBytes int // bytes of a header that was cut
	control   [frame.ControlBytesMax]byte
	controls  int // bytes of a control payload that was cut

	// The message in progress.
	message    frame.Opcode // Text or Binary; Continuation: none
	compressed bool
	given      bool // parts of it have been handed out
	text       frame.UTF8
	fragments  int
	size       int64   // payload bytes declared by its frames so far
	assembly   *buffer // what has come of it; nil unless it came in pieces

	// A compressed message that has come and is being inflated.
	inflates bool
	waits    bool // the owner knows that it takes longer
	deflated []byte
	inflated *buffer // what has come out; nil: it has yet to be begun

	lent *buffer // memory behind the last event
	last Event   // once the endpoint is ending
}

var receivers = sync.Pool{New: func() any { return new(receiver) }}

// receiving returns the endpoint's receiver, which it gets for it if need be.
func (e *Endpoint) receiving() *receiver {
	if e.receiver == nil {
		e.receiver = receivers.Get().(*receiver)
	}
	return e.receiver
}

// rest gives back all that is not needed while no input is there.
func (e *Endpoint) rest() {
	r := e.receiver
	if r == nil || r.inFrame || r.headBytes > 0 || r.message != frame.Continuation || e.state == ending {
		return
	}
	r.reclaim()
	r.assembly.release()
	r.inflated.release()
	r.held.release()
	*r = receiver{}
	receivers.Put(r)
	e.receiver = nil
}

// reclaim takes back the memory of the last event.
func (r *receiver) reclaim() {
	r.lent.release()
	r.lent = nil
}

// take removes from the input as much of the frame's payload as is there, and
// unmasks it in place.
func (r *receiver) take() []byte {
	n := min(uint64(len(r.in)), r.remaining)
	chunk := r.in[:n:n]
	r.in = r.in[n:]
	r.remaining -= n
	if r.key != 0 {
		r.key = frame.Mask(chunk, r.key)
	}
	return chunk
}

// keep appends a chunk to the message in progress. Memory grows with what has
// come, never with what was declared.
func (r *receiver) keep(chunk []byte) {
	if len(chunk) == 0 {
		return
	}
	r.assembly = r.assembly.append(chunk)
}

// gather returns the assembled message, with chunk after it.
func (r *receiver) gather(chunk []byte) []byte {
	if r.assembly == nil {
		return chunk
	}
	r.keep(chunk)
	return r.assembly.bytes
}

// handOut makes the assembled message, and chunk after it, the memory of the
// next event.
func (r *receiver) handOut(chunk []byte) []byte {
	whole := r.gather(chunk)
	if r.assembly != nil {
		r.lent, r.assembly = r.assembly, nil
	}
	return whole
}

// endMessage forgets the message in progress.
func (r *receiver) endMessage() {
	r.message = frame.Continuation
	r.compressed = false
	r.given = false
	r.text = frame.UTF8{}
	r.fragments = 0
	r.size = 0
	r.inflates = false
	r.waits = false
	r.deflated = nil
}
