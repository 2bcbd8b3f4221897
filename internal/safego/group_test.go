package safego_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/bellwire/bellwire/internal/leak"
	"github.com/bellwire/bellwire/internal/safego"
)

func TestMain(m *testing.M) { leak.Main(m) }

// quiet is a group whose log can be read after Wait.
func quiet() (*safego.Group, *bytes.Buffer) {
	var log bytes.Buffer
	return &safego.Group{Logger: slog.New(slog.NewTextHandler(&log, nil))}, &log
}

func wait(t *testing.T, g *safego.Group) {
	t.Helper()
	if err := g.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestWaitOfAnEmptyGroupReturnsAtOnce(t *testing.T) {
	var g safego.Group
	wait(t, &g)
}

func TestCloseRunsOnceAfterTheTaskAndBeforeWaitReturns(t *testing.T) {
	g, _ := quiet()
	var order []string // Wait orders the reads after the writes
	g.Go("task", func() { order = append(order, "run") }, func() { order = append(order, "close") })
	wait(t, g)
	if got := strings.Join(order, " "); got != "run close" {
		t.Fatalf("order %q, want %q", got, "run close")
	}
}

func TestPanicIsRecoveredCountedLoggedAndTheServedIsClosed(t *testing.T) {
	g, log := quiet()
	var hooked atomic.Value
	g.OnPanic = func(task string) { hooked.Store(task) }
	closed := false
	g.Go("connection", func() { panic("boom") }, func() { closed = true })
	wait(t, g)
	if !closed {
		t.Error("what the task served was not closed")
	}
	if g.Panics() != 1 || hooked.Load() != "connection" {
		t.Errorf("%d panics, hook got %v", g.Panics(), hooked.Load())
	}
	for _, part := range []string{"level=ERROR", "goroutine panicked", "task=connection", "panic=boom", "group_test.go"} {
		if !strings.Contains(log.String(), part) {
			t.Errorf("no %q in log %q", part, log.String())
		}
	}
}

func TestPanicOfCloseIsRecoveredToo(t *testing.T) {
	g, _ := quiet()
	g.Go("task", func() { panic("one") }, func() { panic("two") })
	wait(t, g)
	if g.Panics() != 2 {
		t.Fatalf("%d panics, want 2", g.Panics())
	}
}

func TestPanicWithNilAndWithAnErrorCount(t *testing.T) {
	g, log := quiet()
	g.Go("nil", func() { panic(nil) }, nil)
	wait(t, g)
	g.Go("error", func() { panic(errors.New("bad state")) }, nil)
	wait(t, g)
	if g.Panics() != 2 || !strings.Contains(log.String(), `panic="bad state"`) {
		t.Fatalf("%d panics, log %q", g.Panics(), log.String())
	}
}

func TestGoexitEndsTheTaskAndIsNoPanic(t *testing.T) {
	g, _ := quiet()
	closed := false
	g.Go("task", runtime.Goexit, func() { closed = true })
	wait(t, g)
	if !closed || g.Panics() != 0 {
		t.Fatalf("closed %t, %d panics", closed, g.Panics())
	}
}

func TestWaitNamesWhatStillRunsWhenTheContextEnds(t *testing.T) {
	g, _ := quiet()
	release := make(chan struct{})
	g.Go("reader", func() { <-release }, nil)
	g.Go("writer", func() { <-release }, nil)
	g.Go("writer", func() { <-release }, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := g.Wait(ctx)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "reader (1), writer (2)") {
		t.Fatalf("got %v", err)
	}
	if g.Running() != 3 {
		t.Fatalf("%d running, want 3", g.Running())
	}
	close(release)
	wait(t, g)
	if g.Running() != 0 {
		t.Fatalf("%d running, want 0", g.Running())
	}
}

func TestTasksMayStartTasksWhileOthersWait(t *testing.T) {
	g, _ := quiet()
	var ran atomic.Int64
	var grow func(depth int)
	grow = func(depth int) {
		ran.Add(1)
		for range 2 {
			if depth > 0 {
				g.Go("grow", func() { grow(depth - 1) }, nil)
			}
		}
	}
	g.Go("grow", func() { grow(9) }, nil)
	var waiters sync.WaitGroup
	for range 4 {
		waiters.Go(func() {
			if err := g.Wait(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	waiters.Wait()
	if ran.Load() != 1<<10-1 {
		t.Fatalf("%d tasks ran, want %d", ran.Load(), 1<<10-1)
	}
}

func TestAPanicIsNotSilentWithoutALogger(t *testing.T) {
	var log bytes.Buffer
	previous := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(previous)
	var g safego.Group
	g.Go("task", func() { panic("boom") }, nil)
	wait(t, &g)
	if !strings.Contains(log.String(), "panic=boom") {
		t.Fatalf("log %q", log.String())
	}
}
