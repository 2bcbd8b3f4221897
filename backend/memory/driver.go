package memory

import "time"

// Start begins to drop what has expired. The clock must be a real one.
func (b *Backend) Start() {
	b.janitor.start.Do(func() { b.group.Go("memory janitor", b.runJanitor, nil) })
}

func (b *Backend) runJanitor() {
	j := &b.janitor
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-j.stopped:
			return
		case <-j.woken:
		case <-timer.C:
			b.Tick(b.clock.Now())
		}
		j.next.Store(neverNext) // whoever comes with a deadline while it is searched wakes it again
		if deadline, ok := b.Deadline(); ok {
			j.next.Store(deadline.UnixNano())
			timer.Reset(max(deadline.Sub(b.clock.Now()), janitorPause))
		}
	}
}

// janitorPause is the least time between two rounds: channels expire one by one, but are cleaned up together.
const janitorPause = 100 * time.Millisecond
