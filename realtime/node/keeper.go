package node

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// keeper ticks the connections that wait for a time: to connect, or to refresh a token. One goroutine serves all.
type keeper struct {
	woken   chan struct{} // capacity 1: the first deadline has changed
	stopped chan struct{}
	once    sync.Once

	mu sync.Mutex
	// Guarded by mu.
	waiting waiting
	rises   time.Time // when the goroutine looks again by itself; zero: it is about to
}

// waiting is a heap of connections by their deadlines.
type waiting []*Connection

func (w waiting) Len() int           { return len(w) }
func (w waiting) Less(i, j int) bool { return w[i].keeperDeadline.Before(w[j].keeperDeadline) }
func (w waiting) Swap(i, j int) {
	w[i], w[j] = w[j], w[i]
	w[i].keeperIndex, w[j].keeperIndex = i, j
}

func (w *waiting) Push(x any) {
	c := x.(*Connection)
	c.keeperIndex = len(*w)
	*w = append(*w, c)
}

func (w *waiting) Pop() any {
	last := len(*w) - 1
	c := (*w)[last]
	(*w)[last] = nil
	*w = (*w)[:last]
	c.keeperIndex = -1
	return c
}

func (k *keeper) init() {
	k.woken = make(chan struct{}, 1)
	k.stopped = make(chan struct{})
}

func (k *keeper) stop() { k.once.Do(func() { close(k.stopped) }) }

// set changes a connection's deadline; ok is false for none.
func (k *keeper) set(c *Connection, deadline time.Time, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case !ok && c.keeperIndex < 0:
		return
	case !ok:
		heap.Remove(&k.waiting, c.keeperIndex)
	case c.keeperIndex < 0:
		c.keeperDeadline = deadline
		heap.Push(&k.waiting, c)
	case c.keeperDeadline.Equal(deadline):
		return
	default:
		c.keeperDeadline = deadline
		heap.Fix(&k.waiting, c.keeperIndex)
	}
	// To wake it for each connection that is alone in waiting was 0.5 µs of a connect, for nothing.
	if ok && deadline.Before(k.rises) {
		k.rises = time.Time{}
		k.wake()
	}
}

func (k *keeper) wake() {
	select {
	case k.woken <- struct{}{}:
	default:
	}
}

// due takes out a connection whose time has come; nil: there is none.
func (k *keeper) due(now time.Time) *Connection {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.waiting) == 0 || now.Before(k.waiting[0].keeperDeadline) {
		return nil
	}
	return heap.Pop(&k.waiting).(*Connection)
}

// rest says that the goroutine looks again at an instant, unless something is due before.
func (k *keeper) rest(until time.Time) time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.waiting) > 0 && k.waiting[0].keeperDeadline.Before(until) {
		until = k.waiting[0].keeperDeadline
	}
	k.rises = until
	return until
}

// keep is the keeper's goroutine. It also tells the window when that has changed (LIV-4).
func (n *Node) keep() {
	told := n.admission.present()
	timer := time.NewTimer(noticeInterval)
	defer timer.Stop()
	notice := n.config.Clock.Now().Add(noticeInterval)
	for {
		now := n.config.Clock.Now()
		n.tick(now)
		if !now.Before(notice) {
			notice = now.Add(noticeInterval)
			if present := n.admission.present(); hasChanged(told, present) {
				told = present
				n.notify(present)
			}
		}
		timer.Reset(max(n.keeper.rest(notice).Sub(now), time.Millisecond))
		select {
		case <-n.keeper.stopped:
			return
		case <-n.keeper.woken:
		case <-timer.C:
		}
	}
}

// tick does what is due.
func (n *Node) tick(now time.Time) {
	for c := n.keeper.due(now); c != nil; c = n.keeper.due(now) {
		c.tick(now)
	}
}

func (n *Node) notify(window time.Duration) {
	for _, c := range n.index.all() {
		c.notify(window)
	}
}

// withinBackend is the time that a backend has for an answer. One that never waits needs no timer for that.
func (n *Node) withinBackend() (context.Context, context.CancelFunc) {
	if n.immediate {
		return context.Background(), func() {}
	}
	return within(n.limits.BackendTimeout)
}

// within is the time that somebody else has for an answer.
func within(timeout time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), timeout)
}

// rest lets time pass, unless ctx ends.
func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
