package hub

import (
	"context"
	"sync"
	"time"
)

// driver is the goroutine that calls Tick.
type driver struct {
	start, stop sync.Once
	woken       chan struct{} // capacity 1: something has a deadline now
	stopped     chan struct{}
}

func (d *driver) init() {
	d.woken = make(chan struct{}, 1)
	d.stopped = make(chan struct{})
}

func (d *driver) wake() {
	select {
	case d.woken <- struct{}{}:
	default:
	}
}

// Start begins to tell merged presence changes by itself. The clock must be a real one.
func (h *Hub) Start() {
	h.driver.start.Do(func() { h.group.Go("hub presence", h.run, nil) })
}

// Close ends what Start began and waits for it. What waits to be told is dropped.
func (h *Hub) Close() {
	h.driver.stop.Do(func() { close(h.driver.stopped) })
	// The goroutine blocks on nothing but the hub's own locks, so the wait is short.
	_ = h.group.Wait(context.Background())
}

func (h *Hub) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-h.driver.stopped:
			return
		case <-h.driver.woken:
		case <-timer.C:
			h.Tick(h.clock.Now())
		}
		if deadline, ok := h.Deadline(); ok {
			timer.Reset(deadline.Sub(h.clock.Now()))
		}
	}
}
