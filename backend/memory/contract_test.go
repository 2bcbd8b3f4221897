package memory_test

import (
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire/backend/memory"
	"github.com/bellwire/bellwire/internal/leak"
	"github.com/bellwire/bellwire/realtime/backendtest"
	"github.com/bellwire/bellwire/realtime/broker"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestContract(t *testing.T) { backendtest.Run(t, open) }

// manualClock stands still until it is moved.
type manualClock struct {
	mu  sync.Mutex
	now time.Time // guarded by mu
}

func newManualClock() *manualClock { return &manualClock{now: time.UnixMilli(1_790_000_000_000)} }

func (c *manualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *manualClock) moveTo(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.After(c.now) {
		c.now = now
	}
}

// counting is a source of bytes that differ from call to call.
type counting struct{ n byte }

func (c *counting) Read(p []byte) (int, error) {
	c.n++
	for i := range p {
		p[i] = c.n
	}
	return len(p), nil
}

// control drives one backend by its deadlines, as its goroutine would.
type control struct {
	sink  broker.Sink
	clock *manualClock
	rand  *counting

	mu      sync.Mutex
	backend *memory.Backend // guarded by mu
}

func open(t *testing.T, sink broker.Sink) (broker.Backend, backendtest.Control) {
	c := &control{sink: sink, clock: newManualClock(), rand: &counting{}}
	return c.Restart(t), c
}

func (c *control) Restart(t *testing.T) broker.Backend {
	c.mu.Lock()
	defer c.mu.Unlock()
	b, err := memory.New(memory.Config{Sink: c.sink, Clock: c.clock, Rand: c.rand})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	c.backend = b
	return b
}

func (c *control) Advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	end := c.clock.Now().Add(by)
	for {
		deadline, ok := c.backend.Deadline()
		if !ok || deadline.After(end) {
			break
		}
		c.clock.moveTo(deadline)
		c.backend.Tick(c.clock.Now())
	}
	c.clock.moveTo(end)
}
