package loadgen

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire/internal/safego"
	"github.com/bellwire/bellwire/protocol/native/wire"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/websocket"
)

// run is one workload in progress.
type run struct {
	// Immutable.
	target Target
	format wire.Format
	pace   Pace
	begin  time.Time
	memo   *memo

	group safego.Group // all goroutines

	connected, ended                       atomic.Int64
	published, delivered, lost, duplicates atomic.Uint64
	cutOff                                 atomic.Uint64 // what lines that ended have missed since
	connect, answer, delivery              Histogram
	phase                                  atomic.Pointer[string]
	closing                                atomic.Bool // lines that end now were ended by us

	mu sync.Mutex
	// Guarded by mu.
	failures map[string]uint64 // by name of the code; answers that were errors
	endings  map[string]uint64 // by reason; lines that ended though nobody ended them
	lines    []*line
}

func newRun(target Target, pace Pace) *run {
	r := &run{
		target: target, format: target.format(), pace: pace, begin: time.Now(), memo: newMemo(),
		failures: make(map[string]uint64), endings: make(map[string]uint64),
	}
	r.enter("starting")
	return r
}

// now is the time of the run, by the monotonic clock.
func (r *run) now() time.Duration { return time.Since(r.begin) }

func (r *run) messageType() websocket.MessageType {
	if r.format.Binary() {
		return websocket.BinaryMessage
	}
	return websocket.TextMessage
}

func (r *run) enter(phase string) { r.phase.Store(&phase) }

func (r *run) answered(c *channel, offset uint64, latency time.Duration) {
	c.answered(offset)
	r.published.Add(1)
	r.answer.Record(latency)
}

func (r *run) fail(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures[name]++
}

func (r *run) failed(name string) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failures[name]
}

// keep gives a line its reader and holds it until the end of the run.
func (r *run) keep(l *line) {
	r.mu.Lock()
	r.lines = append(r.lines, l)
	r.mu.Unlock()
	r.connected.Add(1)
	r.group.Go("line", func() {
		err := l.read()
		if r.closing.Load() {
			return
		}
		l.ended.Store(true)
		r.connected.Add(-1)
		r.ended.Add(1)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.endings[endingOf(err)]++
	}, func() { _ = l.conn.CloseNow() })
}

// endingOf says in a word or two why a line ended; the set of its results is small.
func endingOf(err error) string {
	var known *realtime.Error
	if errors.As(err, &known) {
		return known.Code.Name()
	}
	if status := websocket.CloseStatus(err); status != 0 {
		if name := realtime.Code(status).Name(); name != "" {
			return name
		}
		return fmt.Sprint("close code ", int(status))
	}
	return "line lost"
}

// end closes all lines and waits for every goroutine.
func (r *run) end() {
	r.enter("closing")
	r.closing.Store(true)
	r.mu.Lock()
	lines := r.lines
	r.mu.Unlock()
	for _, l := range lines {
		_ = l.conn.CloseNow()
	}
	_ = r.group.Wait(context.Background())
}
