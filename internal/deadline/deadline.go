package deadline

import (
	"sync"
	"time"
)

// Deadline is an instant that can be waited for. The zero value never comes.
type Deadline struct {
	mu sync.Mutex
	// Guarded by mu.
	timer  *time.Timer
	passed chan struct{} // closed when the deadline has passed; nil: nobody has asked
	due    time.Time
}

// Set moves the deadline; the zero time means none.
func (d *Deadline) Set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.due = t
	if d.timer != nil {
		d.timer.Stop()
	}
	if d.passedLocked() {
		if !t.IsZero() && time.Until(t) <= 0 {
			return
		}
		d.passed = nil
	}
	d.armLocked()
}

// Passed returns a channel that is closed when the deadline has passed. It stays so when the deadline is moved later.
func (d *Deadline) Passed() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.passed == nil {
		d.passed = make(chan struct{})
		d.armLocked()
	}
	return d.passed
}

func (d *Deadline) passedLocked() bool {
	if d.passed == nil {
		return false
	}
	select {
	case <-d.passed:
		return true
	default:
		return false
	}
}

// armLocked starts the timer, if somebody waits for it.
func (d *Deadline) armLocked() {
	if d.passed == nil || d.due.IsZero() {
		return
	}
	left := time.Until(d.due)
	switch {
	case left <= 0:
		close(d.passed)
	case d.timer == nil:
		d.timer = time.AfterFunc(left, d.pass)
	default:
		d.timer.Reset(left)
	}
}

// pass is called by the timer.
func (d *Deadline) pass() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.due.IsZero() && time.Until(d.due) <= 0 && d.passed != nil && !d.passedLocked() {
		close(d.passed)
	}
}
