package archtest

import (
	"fmt"
	"go/ast"
	"regexp"
	"slices"
	"strings"
)

// A habit forbids uses of a package's functions outside some directories. Tests and commands' own directories
// are free where the row says so.
type habit struct {
	imported string
	names    []string // none: everything
	except   []string // patterns of directories
	instead  string
}

var habits = []habit{
	{"fmt", []string{"Print", "Printf", "Println"}, []string{"cmd/..."},
		"a library does not write to standard output: return the text, or take an io.Writer"},
	{"log", nil, []string{"cmd/..."},
		"take a *slog.Logger in the configuration"},
	{"os", []string{"Getenv", "LookupEnv", "Environ", "ExpandEnv"}, []string{"server/config", "cmd/...", "internal/seed"},
		"only server/config and cmd read the environment: take a value in the configuration"},
	{"os", []string{"Exit"}, []string{"cmd/...", "internal/leak", "internal/mutation"},
		"return an error; only a command's main ends the process"},
}

// goStarters may start goroutines with the go statement; everybody else has an owner that waits, and recovers.
var goStarters = map[string]string{
	"internal/safego":               "it is the helper",
	"websocket/examples/echoserver": "an example shows the engine alone, as a program outside this repository uses it",
	"websocket/examples/echoclient": "the same",
	"websocket/websockettest":       "it serves tests, which wait for what they open",
}

// CheckHabits holds libraries to what they must leave to others: output, environment, exits, goroutines, init.
func CheckHabits(t *Tree) []Violation {
	var found []Violation
	for _, f := range t.sources() {
		report := func(node ast.Node, message string) {
			found = append(found, Violation{t.at(f, node.Pos()), message})
		}
		if !f.isMain() {
			checkHabitUses(f, report)
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				if goStarters[f.dir] == "" {
					report(n, "starts a goroutine with go: use a safego.Group, whose owner waits for it")
				}
			case *ast.FuncDecl:
				if n.Recv == nil && n.Name.Name == "init" {
					report(n, "has an init: nothing registers itself; let the one who needs it call it")
				}
			case *ast.CallExpr:
				if ident, ok := n.Fun.(*ast.Ident); ok && (ident.Name == "print" || ident.Name == "println") {
					report(n, "uses "+ident.Name+": remove it, or log through the injected logger")
				}
			}
			return true
		})
	}
	return found
}

func checkHabitUses(f *goFile, report func(ast.Node, string)) {
	f.uses(func(sel *ast.SelectorExpr, imported, name string) {
		for _, h := range habits {
			if h.imported != imported || len(h.names) > 0 && !slices.Contains(h.names, name) || matchesAny(h.except, f.dir) {
				continue
			}
			report(sel, fmt.Sprintf("uses %s.%s: %s", imported, name, h.instead))
		}
	})
}

// unfinished matches marks of work left over. The pattern is put together so as not to match itself.
var unfinished = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b`)

// CheckFinished refuses marks of unfinished work in code: finish it, or write an issue.
func CheckFinished(t *Tree) []Violation {
	var found []Violation
	look := func(path string, text []byte) {
		for i, line := range strings.Split(string(text), "\n") {
			if mark := unfinished.FindString(line); mark != "" {
				found = append(found, Violation{fmt.Sprintf("%s:%d", path, i+1), mark + ": finish it, or leave it out and open an issue"})
			}
		}
	}
	for _, f := range t.goes {
		look(f.path, f.text)
	}
	for _, f := range t.texts {
		if hasAnySuffix(f.path, []string{".ts", ".mjs"}) {
			look(f.path, f.text)
		}
	}
	return found
}

// scriptCores are the TypeScript cores; what they must not touch is their driver's.
const scriptCore = "web/client/src/core/"

var scriptBanned = regexp.MustCompile(
	`\b(Date\.now|new Date|performance\.now|setTimeout|setInterval|clearTimeout|queueMicrotask|Math\.random|new WebSocket|fetch\(|localStorage|sessionStorage|document\.|window\.|navigator\.|globalThis\.|crypto\.)`)

// CheckScriptCores holds the TypeScript client's core to the same purity as the Go client's.
func CheckScriptCores(t *Tree) []Violation {
	var found []Violation
	for _, f := range t.texts {
		if !strings.HasPrefix(f.path, scriptCore) || !strings.HasSuffix(f.path, ".ts") {
			continue
		}
		for i, line := range strings.Split(string(f.text), "\n") {
			code, _, _ := strings.Cut(line, "//")
			if trimmed := strings.TrimSpace(code); strings.HasPrefix(trimmed, "*") || strings.HasPrefix(trimmed, "/*") {
				continue
			}
			if used := scriptBanned.FindString(code); used != "" {
				found = append(found, Violation{fmt.Sprintf("%s:%d", f.path, i+1),
					used + " in a pure core: take it as a value or a function from the driver"})
			}
		}
	}
	return found
}

// lockFile must install from whatever registry the machine has.
const lockFile = "web/package-lock.json"

// CheckLock refuses hosts in the npm lock.
func CheckLock(t *Tree) []Violation {
	for _, f := range t.texts {
		if f.path == lockFile && strings.Contains(string(f.text), "://") {
			return []Violation{{lockFile, "names a host: web/.npmrc has omit-lockfile-registry-resolved, so write the lock again with `npm install` inside web/"}}
		}
	}
	return nil
}
