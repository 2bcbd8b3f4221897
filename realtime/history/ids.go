package history

import "time"

// For whoever counts memory: about what one id takes beside itself, and what a window takes that is not empty.
const (
	IDOverheadBytes  = 160
	IDsOverheadBytes = 512
)

// Hash stands for the content of a command: two commands with one id and different hashes are a conflict (POS-6).
type Hash [16]byte

// IDs remembers the ids of the latest idempotent commands and what each was answered.
type IDs[Answer any] struct {
	byID  map[string]remembered[Answer] // exactly the ids of order
	order ring[stamp]                   // oldest first
	bytes int
}

type remembered[Answer any] struct {
	hash   Hash
	answer Answer
}

type stamp struct {
	id   string
	time time.Time
}

// Find returns what was remembered under id. The caller has trimmed.
func (w *IDs[Answer]) Find(id string) (hash Hash, answer Answer, found bool) {
	r, found := w.byID[id]
	return r.hash, r.answer, found
}

// Add remembers an id that Find did not find.
func (w *IDs[Answer]) Add(id string, hash Hash, answer Answer, now time.Time) {
	if _, found := w.byID[id]; found {
		panic("history: an id is remembered twice")
	}
	if w.byID == nil {
		w.byID = make(map[string]remembered[Answer])
	}
	w.byID[id] = remembered[Answer]{hash: hash, answer: answer}
	w.order.push(stamp{id: id, time: now})
	w.bytes += IDOverheadBytes + len(id)
}

// Trim forgets ids that are too old, and the oldest when there are too many.
func (w *IDs[Answer]) Trim(ageMax time.Duration, countMax int, now time.Time) {
	for w.order.len() > 0 && (w.order.len() > countMax || !now.Before(w.order.at(0).time.Add(ageMax))) {
		oldest := w.order.pop()
		delete(w.byID, oldest.id)
		w.bytes -= IDOverheadBytes + len(oldest.id)
	}
	if w.order.len() == 0 {
		w.byID = nil
	}
}

// OldestTime is when the oldest id was added.
func (w *IDs[Answer]) OldestTime() (time.Time, bool) {
	if w.order.len() == 0 {
		return time.Time{}, false
	}
	return w.order.at(0).time, true
}

// Len is how many ids are remembered.
func (w *IDs[Answer]) Len() int { return w.order.len() }

// Bytes is about how much memory the ids take.
func (w *IDs[Answer]) Bytes() int {
	if w.order.len() == 0 {
		return 0
	}
	return IDsOverheadBytes + w.bytes
}
