package leak

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// SettleMax is how long goroutines that are still there get to end. It is long because it passes only
// when there is a leak, and a loaded machine must not look like one.
const SettleMax = 10 * time.Second

// Main runs the tests and ends the process: with the tests' own exit code or, when they passed but left
// goroutines behind, with 1 after printing their stacks.
func Main(m *testing.M) { os.Exit(run(m, os.Stderr, SettleMax)) }

// Check fails tb at its end when goroutines are left that were not there when Check was called.
// Cleanups registered after the call run before the look.
func Check(tb testing.TB) {
	tb.Helper()
	check(tb, SettleMax)
}

func check(tb testing.TB, settleMax time.Duration) {
	tb.Helper()
	before := snapshot()
	tb.Cleanup(func() {
		tb.Helper()
		if left := settle(before, settleMax); len(left) > 0 {
			tb.Error(report(left))
		}
	})
}

// runner is the part of testing.M that Main needs.
type runner interface{ Run() int }

func run(m runner, log io.Writer, settleMax time.Duration) (exitCode int) {
	before := snapshot()
	if exitCode := m.Run(); exitCode != 0 {
		return exitCode // A failed test may leave anything behind; its own message matters.
	}
	left := settle(before, settleMax)
	if len(left) == 0 {
		return 0
	}
	fmt.Fprintln(log, report(left))
	return 1
}

func settle(before map[string]bool, max time.Duration) []goroutine {
	deadline := time.Now().Add(max)
	pause := 100 * time.Microsecond
	for {
		left := leftSince(before)
		if len(left) == 0 || time.Now().After(deadline) {
			return left
		}
		time.Sleep(pause)
		pause = min(2*pause, 50*time.Millisecond)
	}
}

func report(left []goroutine) string {
	var b strings.Builder
	fmt.Fprintf(&b, "leak: %d goroutines are left; whoever starts one must end it and wait for it:", len(left))
	for _, g := range left {
		b.WriteString("\n\n" + g.stack)
	}
	return b.String()
}
