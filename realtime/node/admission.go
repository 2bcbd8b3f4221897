package node

import (
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of the reconnect window (LIV-3).
const (
	windowMin = time.Second
	windowMax = 2 * time.Minute

	// admissionShare is how much of the admission rate a reconnecting herd may take: the rest is for new clients.
	admissionShare = 0.7

	// noticeInterval is the least time between two notices of one node (LIV-4).
	noticeInterval = 10 * time.Second
)

// admission decides how many lines are let in, and how long those that were cut off should spread their return.
type admission struct {
	rate     float64 // immutable: a second
	interval time.Duration
	burst    int
	start    time.Time

	window atomic.Int64 // the present one

	mu sync.Mutex
	// Guarded by mu.
	full time.Duration // since start: when the bucket will be full
}

func (a *admission) init(l Limits, now time.Time) {
	a.rate, a.burst, a.start = l.AdmissionRate, l.AdmissionBurst, now
	a.interval = time.Duration(float64(time.Second) / l.AdmissionRate)
	a.window.Store(int64(windowMin))
}

// take admits one line, when the rate allows it.
func (a *admission) take(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	at := now.Sub(a.start)
	full := max(a.full, at)
	if full-at > a.interval*time.Duration(a.burst-1) {
		return false
	}
	a.full = full + a.interval
	return true
}

// connected computes the window anew for so many connections.
func (a *admission) connected(connections int) {
	seconds := float64(connections) / (admissionShare * a.rate)
	window := time.Duration(min(seconds, windowMax.Seconds()) * float64(time.Second))
	a.window.Store(int64(min(max(window, windowMin), windowMax)))
}

func (a *admission) present() time.Duration { return time.Duration(a.window.Load()) }

// hasChanged reports whether a window differs by half from what was told (LIV-4).
func hasChanged(told, present time.Duration) bool {
	return 2*present >= 3*told || 2*present <= told
}

// RetryAfter is how long a refused client should wait: the present reconnect window (LIV-3).
func (n *Node) RetryAfter() time.Duration { return n.admission.present() }
