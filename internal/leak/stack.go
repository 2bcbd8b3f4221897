package leak

import (
	"runtime"
	"strings"
)

// A goroutine is one entry of the runtime's dump of all stacks.
type goroutine struct {
	id    string // decimal, never used twice in a process
	stack string // with its heading line
}

// harmless are functions whose goroutines belong to the runtime or the testing package.
var harmless = []string{
	"internal/fuzz.",
	"os/signal.loop",
	"os/signal.signal_recv",
	"runtime.ensureSigM",
	"runtime/pprof.profileWriter",
	"runtime/trace.Start",
	"testing.(*F).Fuzz",
	"testing.(*T).Run",
	"testing.(*T).Parallel",
	"testing.runFuzzTests",
	"testing.runFuzzing",
	"testing.tRunner.func",
}

func snapshot() map[string]bool {
	ids := make(map[string]bool)
	for _, g := range goroutines() {
		ids[g.id] = true
	}
	return ids
}

func leftSince(before map[string]bool) []goroutine {
	var left []goroutine
	for i, g := range goroutines() {
		// The first entry is the goroutine that asks.
		if i > 0 && !before[g.id] && !isHarmless(g.stack) {
			left = append(left, g)
		}
	}
	return left
}

// isHarmless looks at the frames' own lines and not at the line that says who started the goroutine:
// a goroutine started by a test function is not the testing package's.
func isHarmless(stack string) bool {
	for line := range strings.Lines(stack) {
		if strings.HasPrefix(line, "created by ") {
			continue
		}
		for _, name := range harmless {
			if strings.HasPrefix(line, name) {
				return true
			}
		}
	}
	return false
}

func goroutines() []goroutine {
	var all []goroutine
	for _, stack := range strings.Split(dump(), "\n\n") {
		// "goroutine 18 [select]:" or "goroutine 18 gp=0xc0 m=nil [select]:"
		fields := strings.Fields(stack)
		if len(fields) > 1 && fields[0] == "goroutine" {
			all = append(all, goroutine{id: fields[1], stack: strings.TrimSpace(stack)})
		}
	}
	return all
}

// dump grows its buffer until every stack fits.
func dump() string {
	for size := 1 << 16; ; size *= 2 {
		buf := make([]byte, size)
		if n := runtime.Stack(buf, true); n < size {
			return string(buf[:n])
		}
	}
}
