package api

import (
	"context"
	"sync"
	"time"
)

// deadline is a context that ends at a time. It starts its timer only when somebody waits for it: most requests are done
// before anything has to, and a timer with its context costs 5 allocations and a fifth of a publication.
type deadline struct {
	context.Context // the parent
	at              time.Time

	mu sync.Mutex
	// Guarded by mu.
	armed  context.Context // nil: nobody has waited yet
	cancel context.CancelFunc
	ended  bool
}

// until returns a context that ends with parent, at the time, or when end is called.
func until(parent context.Context, at time.Time) *deadline { return &deadline{Context: parent, at: at} }

// end releases what waiting took. Whoever still waits is woken.
func (d *deadline) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended = true; d.armed != nil {
		d.cancel()
	}
}

// Deadline implements context.Context.
func (d *deadline) Deadline() (time.Time, bool) {
	if earlier, ok := d.Context.Deadline(); ok && earlier.Before(d.at) {
		return earlier, true
	}
	return d.at, true
}

// Done implements context.Context.
func (d *deadline) Done() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.armed == nil {
		d.armed, d.cancel = context.WithDeadline(d.Context, d.at)
		if d.ended {
			d.cancel()
		}
	}
	return d.armed.Done()
}

// Err implements context.Context.
func (d *deadline) Err() error {
	d.mu.Lock()
	armed, ended := d.armed, d.ended
	d.mu.Unlock()
	switch {
	case armed != nil:
		return armed.Err()
	case ended:
		return context.Canceled
	case d.Context.Err() != nil:
		return d.Context.Err()
	case !time.Now().Before(d.at):
		return context.DeadlineExceeded
	}
	return nil
}

// Value implements context.Context. Once armed it is asked of the inner context, by which the children of this one find
// who cancels them.
func (d *deadline) Value(key any) any {
	d.mu.Lock()
	armed := d.armed
	d.mu.Unlock()
	if armed != nil {
		return armed.Value(key)
	}
	return d.Context.Value(key)
}
