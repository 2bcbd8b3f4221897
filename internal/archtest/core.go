package archtest

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
)

// A core is a directory whose packages take input and the time and leave output: they open nothing and start nothing.
// The most specific row decides.
type core struct {
	dir   string   // a pattern
	locks bool     // may use all of sync; sync.Pool, which orders nothing, may be used by all
	allow []string // imports that coreBanned would refuse
	why   string
}

var cores = []core{
	{dir: "websocket/frame/...", why: "values in, values out"},
	{dir: "websocket/handshake/...", allow: []string{"net/http", "net/textproto", "net/url"}, why: "checks on headers, no I/O"},
	{dir: "websocket/deflate/...", locks: true, why: "one message in, one message out; the number of its compressors is bounded for all connections together"},
	{dir: "websocket/endpoint/...", why: "one side of a connection without I/O, the same under goroutines and under the reactor"},
	{dir: "realtime/...", why: "one owner calls it, and a simulation replays it from a seed"},
	{dir: "realtime/hub/...", locks: true, why: "publications come from many goroutines; time is handed in"},
	{dir: "realtime/node/...", locks: true, allow: []string{"crypto/rand"}, why: "connections come on many goroutines; its clock and its source of random bytes are handed in"},
	{dir: "backend/memory/...", locks: true, why: "many goroutines publish; time is handed in"},
	{dir: "protocol/...", why: "a translator has no state of its own beside the connection's"},
	{dir: "client/core/...", why: "the client's rules, run by one owner and replayed from traces"},
}

// drivers are files in the package of a core that are not of the core: they may lock, read clocks and start
// goroutines, by the owner's hand.
var drivers = map[string]string{
	"backend/memory/driver.go":       "calls the backend at its deadlines by the real clock; a simulation calls it instead",
	"realtime/hub/driver.go":         "calls the hub at its deadlines by the real clock; a simulation calls it instead",
	"realtime/node/config.go":        "names the real clock and the real random source, for a configuration that names none",
	"realtime/node/keeper.go":        "calls connections at their deadlines",
	"websocket/endpoint/prepared.go": "a prepared message belongs to no endpoint; the first of many that need it compressed does it once",
}

// coreBanned are imports that open, start or draw something.
var coreBanned = []struct{ pattern, instead string }{
	{"net/...", "leave sockets and HTTP to the driver, and take bytes"},
	{"os/...", "leave files, environment and processes to server/config or cmd, and take values"},
	{"syscall", "leave the system to the driver"},
	{"golang.org/x/sys/...", "leave the system to the driver"},
	{"crypto/rand", "take random bytes, or a func that gives them, from the owner, so that a seed can replay"},
	{"log", "take a *slog.Logger, or return what should be logged"},
}

// clockFuncs read a clock or set a timer.
var clockFuncs = map[string][]string{
	"time":    {"Now", "Since", "Until", "After", "AfterFunc", "Sleep", "NewTimer", "NewTicker", "Tick"},
	"context": {"WithTimeout", "WithTimeoutCause", "WithDeadline", "WithDeadlineCause"},
}

// randConstructors are what math/rand and math/rand/v2 offer besides the process-wide generator.
var randConstructors = map[string]bool{
	"New": true, "NewSource": true, "NewPCG": true, "NewChaCha8": true, "NewZipf": true,
	"Rand": true, "Source": true, "Source64": true, "PCG": true, "ChaCha8": true, "Zipf": true,
}

// CheckCores holds the cores to their purity.
func CheckCores(t *Tree) []Violation {
	var found []Violation
	for _, f := range t.sources() {
		c := coreOf(f.dir)
		if c == nil {
			continue
		}
		report := func(node ast.Node, format string, args ...any) {
			message := fmt.Sprintf(format, args...) + fmt.Sprintf(" (a pure core: %s)", c.why)
			found = append(found, Violation{t.at(f, node.Pos()), message})
		}
		c.checkImports(f, report)
		if drivers[f.path] == "" {
			c.checkUses(f, report)
			c.checkGoroutines(f, report)
		}
	}
	return found
}

type reporter func(node ast.Node, format string, args ...any)

func (c *core) checkImports(f *goFile, report reporter) {
	f.imports(func(spec *ast.ImportSpec, imported string) {
		if matchesAny(c.allow, imported) {
			return
		}
		for _, banned := range coreBanned {
			if matches(banned.pattern, imported) {
				report(spec, "imports %s: %s", imported, banned.instead)
			}
		}
	})
}

func (c *core) checkUses(f *goFile, report reporter) {
	f.uses(func(sel *ast.SelectorExpr, imported, name string) {
		if slices.Contains(clockFuncs[imported], name) {
			report(sel, "uses %s.%s: take `now` as a value and name the next deadline", imported, name)
		}
		if !c.locks && matches("sync/...", imported) && name != "Pool" {
			report(sel, "uses %s.%s: one owner calls a core, so it needs no lock; synchronise in the driver", imported, name)
		}
		if strings.HasPrefix(imported, "math/rand") && !randConstructors[name] {
			report(sel, "uses %s.%s, the process-wide generator: take a *rand.Rand made from a seed", imported, name)
		}
	})
}

func (c *core) checkGoroutines(f *goFile, report reporter) {
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if statement, ok := n.(*ast.GoStmt); ok {
			report(statement, "starts a goroutine: leave that to the driver")
		}
		return true
	})
}

func coreOf(dir string) *core {
	var best *core
	for i := range cores {
		if c := &cores[i]; matches(c.dir, dir) && (best == nil || len(c.dir) > len(best.dir)) {
			best = c
		}
	}
	return best
}
