package node

import (
	"strings"
	"sync"

	"github.com/bellwire/bellwire/realtime/hub"
	"github.com/bellwire/bellwire/realtime/session"
)

// loop is a carrier: one goroutine that does what it is told, in order.
type loop struct {
	ended  chan struct{}
	frames []string // of the present task; owned by the goroutine

	mu      sync.Mutex
	changed *sync.Cond
	todo    []func()
	stopped bool
}

func newLoop() *loop {
	l := &loop{ended: make(chan struct{})}
	l.changed = sync.NewCond(&l.mu)
	go l.run()
	return l
}

func (l *loop) run() {
	defer close(l.ended)
	for f := l.next(); f != nil; f = l.next() {
		f()
	}
}

func (l *loop) next() func() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.todo) == 0 {
		if l.stopped {
			return nil
		}
		l.changed.Wait()
	}
	f := l.todo[0]
	l.todo = l.todo[1:]
	return f
}

func (l *loop) post(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.todo = append(l.todo, f)
	l.changed.Signal()
}

// stop does what is left, and waits for it.
func (l *loop) stop() {
	l.mu.Lock()
	l.stopped = true
	l.changed.Signal()
	l.mu.Unlock()
	<-l.ended
}

// wait returns when everything posted before has been done.
func (l *loop) wait() {
	done := make(chan struct{})
	l.post(func() { close(done) })
	<-done
}

func (l *loop) Behind() <-chan struct{} { return nil }

func (l *loop) Carry(task *hub.Cohort, with any, _ int) bool {
	l.post(func() {
		l.frames = nil
		task.Run(with)
	})
	return true
}

func (l *loop) CarryUrgent(task *hub.Cohort, with any) { l.Carry(task, with, 0) }

func (l *loop) Frame(_ hub.Framing, message []byte) hub.Frame {
	l.frames = append(l.frames, string(message))
	return hub.Frame(len(l.frames))
}

// carriedLine is a line that the loop serves. What it is given goes to the lines of the other.
type carriedLine struct {
	*line
	loop *loop

	speaking sync.Mutex // one message at a time: nothing is handed over before the rest of the last one is done

	mu sync.Mutex
	// Guarded by mu.
	opened, woken bool
	waiting       []string // for the peer, which does not read
}

var _ session.Carried = (*carriedLine)(nil)

func (l *carriedLine) Carrier() hub.Carrier { return l.loop }

func (l *carriedLine) Wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.woken = true; l.opened {
		l.loop.post(l.connection.Flush)
	}
}

func (l *carriedLine) open() {
	l.loop.post(func() {
		l.mu.Lock()
		woken := l.woken
		l.opened = true
		l.mu.Unlock()
		l.connection.Opened()
		if woken {
			l.connection.Flush()
		}
	})
	l.loop.wait()
}

func (l *carriedLine) stalls() bool {
	l.gateMu.Lock()
	defer l.gateMu.Unlock()
	return l.gate != nil
}

func (l *carriedLine) Blocked() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting) > 0
}

func (l *carriedLine) Ready() bool { return !l.Blocked() }

func (l *carriedLine) Pass(frame hub.Frame) { l.give(l.loop.frames[frame-1]) }

func (l *carriedLine) Write(messages [][]byte) error {
	for _, m := range messages {
		l.give(string(m))
	}
	return nil
}

func (l *carriedLine) give(message string) {
	if l.stalls() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.waiting = append(l.waiting, message)
		return
	}
	l.deliver(message)
}

func (l *carriedLine) deliver(message string) {
	select {
	case l.lines <- strings.TrimSuffix(message, "\n"):
	case <-l.closed:
	}
}

// resume is what the loop does when the peer reads again.
func (l *carriedLine) resume() {
	l.loop.post(func() {
		l.mu.Lock()
		waiting := l.waiting
		l.waiting = nil
		l.mu.Unlock()
		for _, message := range waiting {
			l.deliver(message)
		}
		l.connection.Flush()
	})
}

// receive hands over a message as the line's driver does, and returns when its commands have been carried out.
func (l *line) receive(message []byte) error {
	if l.carried == nil {
		return l.connection.Receive(message, l.binary)
	}
	l.carried.speaking.Lock()
	defer l.carried.speaking.Unlock()
	done := make(chan error, 1)
	l.carried.loop.post(func() {
		rest, err := l.connection.TryReceive(message, l.binary)
		clear(message) // it belongs to the driver again
		if rest == nil {
			done <- err
			return
		}
		go func() { done <- rest() }()
	})
	err := <-done
	l.carried.loop.wait() // what was published has been delivered, as it is without a carrier
	return err
}
