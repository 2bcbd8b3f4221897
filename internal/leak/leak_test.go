package leak

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

type runFunc func() int

func (f runFunc) Run() int { return f() }

func stays(release <-chan struct{}) { <-release }

func TestMain(m *testing.M) { Main(m) }

func TestRunPassesWhenNothingIsLeft(t *testing.T) {
	var log bytes.Buffer
	if code := run(runFunc(func() int { return 0 }), &log, SettleMax); code != 0 || log.Len() > 0 {
		t.Fatalf("exit code %d, log %q", code, log.String())
	}
}

func TestRunKeepsTheTestsOwnFailure(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	leaky := runFunc(func() int { go stays(release); return 2 })
	var log bytes.Buffer
	if code := run(leaky, &log, SettleMax); code != 2 || log.Len() > 0 {
		t.Fatalf("exit code %d, log %q", code, log.String())
	}
}

func TestRunFailsAndPrintsTheStackThatIsLeft(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	leaky := runFunc(func() int { go stays(release); return 0 })
	var log bytes.Buffer
	if code := run(leaky, &log, time.Millisecond); code != 1 {
		t.Fatalf("exit code %d, want 1", code)
	}
	if text := log.String(); !strings.Contains(text, "1 goroutines are left") || !strings.Contains(text, "leak.stays") {
		t.Fatalf("log %q", text)
	}
}

func TestRunIgnoresWhatWasThereBefore(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	started := make(chan struct{})
	go func() { close(started); stays(release) }()
	<-started
	var log bytes.Buffer
	if code := run(runFunc(func() int { return 0 }), &log, time.Millisecond); code != 0 {
		t.Fatalf("exit code %d, log %q", code, log.String())
	}
}

func TestRunWaitsForAGoroutineThatIsAboutToEnd(t *testing.T) {
	ending := runFunc(func() int {
		release := make(chan struct{})
		go stays(release)
		close(release)
		return 0
	})
	var log bytes.Buffer
	if code := run(ending, &log, SettleMax); code != 0 {
		t.Fatalf("exit code %d, log %q", code, log.String())
	}
}

func TestCheckPassesACleanTest(t *testing.T) {
	t.Run("clean", func(t *testing.T) {
		Check(t)
		done := make(chan struct{})
		go func() { close(done) }()
		<-done
	})
}

// recorder is a testing.TB that keeps what Check registers and reports.
type recorder struct {
	testing.TB
	cleanup func()
	message string
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanup = f }
func (r *recorder) Error(args ...any) {
	r.message = fmt.Sprint(args...)
}

func TestCheckFailsATestThatLeavesAGoroutine(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	var r recorder
	check(&r, time.Millisecond)
	go stays(release)
	r.cleanup()
	if !strings.Contains(r.message, "leak.stays") {
		t.Fatalf("message %q", r.message)
	}
}

func TestHarmless(t *testing.T) {
	rows := []struct {
		rule, stack string
		want        bool
	}{
		{"signal handling does not count", "goroutine 5 [syscall]:\nos/signal.signal_recv()\n\t/go/sigqueue.go:152\n", true},
		{"a running test does not count", "goroutine 5 [chan receive]:\ntesting.(*T).Run(0xc0)\n\t/go/testing.go:1\n", true},
		{"a goroutine started by a test counts", "goroutine 5 [select]:\nexample.serve()\n\t/x.go:1\ncreated by testing.(*T).Run in goroutine 1\n", false},
		{"a file name is not a function", "goroutine 5 [select]:\nexample.serve()\n\t/os/signal.loop/x.go:1\n", false},
	}
	for _, row := range rows {
		t.Run(row.rule, func(t *testing.T) {
			if got := isHarmless(row.stack); got != row.want {
				t.Fatalf("got %t, want %t", got, row.want)
			}
		})
	}
}

func TestDumpHoldsMoreStacksThanItsFirstBuffer(t *testing.T) {
	release := make(chan struct{})
	before := snapshot()
	const many = 2000
	for range many {
		go stays(release)
	}
	if left := leftSince(before); len(left) != many {
		t.Errorf("%d goroutines seen, want %d", len(left), many)
	}
	close(release)
	if left := settle(before, SettleMax); len(left) > 0 {
		t.Errorf("%d goroutines left after their release", len(left))
	}
}
