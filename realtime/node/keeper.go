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
	if ok && c.keeperIndex == 0 {
		k.wake()
	}
}

func (k *keeper) wake() {
	select {
	case k.woken <- struct{}{}:
	default:
	}
}

// due takes out a connection whose time has come, or returns when the next one's comes.
func (k *keeper) due(now time.Time) (c *Connection, next time.Time, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.waiting) == 0 {
		return nil, time.Time{}, false
	}
	if first := k.waiting[0]; now.Before(first.keeperDeadline) {
		return nil, first.keeperDeadline, true
	}
	return heap.Pop(&k.waiting).(*Connection), time.Time{}, false
}

// keep is the keeper's goroutine. It also tells the window when that has changed (LIV-4).
func (n *Node) keep() {
	told := n.admission.present()
	timer := time.NewTimer(noticeInterval)
	defer timer.Stop()
	notice := n.config.Clock.Now().Add(noticeInterval)
	for {
		now := n.config.Clock.Now()
		next := n.tick(now)
		if !now.Before(notice) {
			notice = now.Add(noticeInterval)
			if present := n.admission.present(); hasChanged(told, present) {
				told = present
				n.notify(present)
			}
		}
		if next.IsZero() || notice.Before(next) {
			next = notice
		}
		timer.Reset(max(next.Sub(now), time.Millisecond))
		select {
		case <-n.keeper.stopped:
			return
		case <-n.keeper.woken:
		case <-timer.C:
		}
	}
}

// tick does what is due and returns when there is something again; zero: never.
func (n *Node) tick(now time.Time) (next time.Time) {
	for {
		c, next, ok := n.keeper.due(now)
		if c == nil {
			if !ok {
				return time.Time{}
			}
			return next
		}
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
