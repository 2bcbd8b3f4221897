package safego

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// A Group starts goroutines and waits for them. The zero value is ready. It must not be copied.
type Group struct {
	// Immutable after the first Go.

	// Logger gets one error for each panic. nil is slog.Default: a panic is never silent.
	Logger *slog.Logger
	// OnPanic counts panics in the owner's metrics. It is called on the panicking goroutine; nil is allowed.
	OnPanic func(task string)

	panics atomic.Uint64

	mu sync.Mutex
	// Guarded by mu.
	running map[string]int  // by task; no entry is 0
	total   int             // sum of running
	ended   []chan struct{} // one for each Wait in progress, closed when total reaches 0
}

// Go runs a function on a new goroutine. task says what it is, in a word or two that never carry data of
// a peer. closeServed is called when run has returned or panicked; nil when there is nothing to close.
func (g *Group) Go(task string, run, closeServed func()) {
	g.begin(task)
	go func() {
		defer g.end(task)
		if closeServed != nil {
			defer g.guard(task, closeServed)
		}
		g.guard(task, run)
	}()
}

// Wait returns nil as soon as no goroutine of the group runs. When ctx ends first, the error says which
// tasks still run, and they keep running.
func (g *Group) Wait(ctx context.Context) error {
	ended := g.endedChan()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended = slices.DeleteFunc(g.ended, func(c chan struct{}) bool { return c == ended })
	if g.total == 0 {
		return nil
	}
	return fmt.Errorf("waiting for %s: %w", g.describeLocked(), context.Cause(ctx))
}

// Running is the number of goroutines that have been started and have not ended.
func (g *Group) Running() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.total
}

// Panics is the number of panics so far, those of close functions included.
func (g *Group) Panics() uint64 { return g.panics.Load() }

func (g *Group) begin(task string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.running == nil {
		g.running = make(map[string]int)
	}
	g.running[task]++
	g.total++
}

func (g *Group) end(task string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.total--
	if g.running[task]--; g.running[task] == 0 {
		delete(g.running, task)
	}
	if g.total == 0 {
		for _, c := range g.ended {
			close(c)
		}
		g.ended = nil
	}
}

// endedChan is closed at once when nothing runs.
func (g *Group) endedChan() chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := make(chan struct{})
	if g.total == 0 {
		close(c)
	} else {
		g.ended = append(g.ended, c)
	}
	return c
}

// guard runs f and turns a panic into a count and a log line.
func (g *Group) guard(task string, f func()) {
	defer func() {
		if cause := recover(); cause != nil {
			g.panicked(task, cause)
		}
	}()
	f()
}

func (g *Group) panicked(task string, cause any) {
	g.panics.Add(1)
	logger := g.Logger
	if logger == nil {
		logger = slog.Default()
	}
	logger.Error("goroutine panicked", "task", task, "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
	if g.OnPanic != nil {
		g.OnPanic(task)
	}
}

func (g *Group) describeLocked() string {
	parts := make([]string, 0, len(g.running))
	for task, n := range g.running {
		parts = append(parts, fmt.Sprintf("%s (%d)", task, n))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}
