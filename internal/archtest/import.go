package archtest

import (
	"fmt"
	"go/ast"
	"strings"
)

// A ring is a directory and what its packages may import besides the standard library and their own directory.
// The most specific row decides.
type ring struct {
	dir     string   // with everything below
	own     []string // patterns of directories of this module
	modules []string // patterns of packages of other modules
	why     string
}

const (
	strictJSON = "github.com/go-json-experiment/json/..."
	protobuf   = "google.golang.org/protobuf/..."
	anyModule  = "*"
)

var rings = []ring{
	{"internal", []string{"internal/..."}, nil,
		"internal is the bottom: small things that know nothing of Bellwire"},
	{"internal/hostmetrics", nil, []string{"github.com/shirou/gopsutil/v4/..."},
		"it reads the machine's figures and knows nothing of Bellwire"},
	{"internal/loadgen", []string{"websocket/...", "realtime", "protocol/native/wire", "internal/..."}, nil,
		"it speaks to a server as a client does, and must not bring a server or the whole client along"},
	{"websocket", []string{"internal/..."}, []string{"golang.org/x/sys/..."},
		"the engine could leave this repository unchanged"},
	{"websocket/http2", []string{"websocket", "internal/..."}, []string{"golang.org/x/net/http2/..."},
		"the engine without HTTP/2 must not need golang.org/x/net"},
	{"realtime", []string{"internal/..."}, nil,
		"realtime knows no socket, no HTTP and no wire format; what it needs of them is a port that it declares"},
	{"realtime/simulation", []string{"realtime/...", "backend/memory", "protocol/native/...", "client/core", "internal/..."}, nil,
		"the simulation runs whole systems"},
	{"backend", []string{"realtime/...", "internal/..."}, nil,
		"a backend makes the port of realtime real and can be deleted together with its line in server"},
	{"protocol", []string{"realtime/...", "internal/..."}, []string{strictJSON, protobuf},
		"a protocol translates at the door of realtime and can be deleted together with its line in server"},
	{"protocol/native/wire", []string{"realtime", "internal/..."}, []string{strictJSON, protobuf},
		"the wire is shared with the Go client, which has no server in it"},
	{"feature", []string{"realtime/...", "internal/..."}, nil,
		"a feature is built on the node only and can be deleted together with its line in server"},
	{"server", []string{"feature/...", "protocol/...", "backend/...", "realtime/...", "websocket/...", "web", "spec", "internal/..."}, []string{anyModule},
		"server wires everything; it stands below cmd and beside client"},
	{"client", []string{"websocket/...", "realtime", "protocol/native/wire", "internal/..."}, nil,
		"the Go client must not bring the server along"},
	{"cmd", []string{"server/...", "client/...", "realtime", "internal/..."}, []string{anyModule},
		"cmd starts the server or a client, and decides nothing"},
	{"web", nil, nil, "web is files"},
	{"spec", nil, nil, "spec is files"},
}

// families are directories whose subdirectories never import each other: any one can be deleted alone.
var families = []string{"backend", "protocol", "feature"}

// testModules are here for tests and comparisons alone.
var testModules = []string{
	"github.com/gorilla/websocket/...",
	"github.com/coder/websocket/...",
	"github.com/bufbuild/protocompile/...",
	"google.golang.org/protobuf/types/dynamicpb",
}

// realtimeBanned are the standard library's ways to a network or a wire format.
var realtimeBanned = []string{
	"net/...", "encoding/json/...", "encoding/xml", "encoding/gob", "encoding/asn1", "encoding/csv", "html/...", "text/template",
}

// CheckImports holds the directions: cmd → server → {feature, protocol, backend} → realtime → internal,
// websocket → internal, client → {websocket, realtime, protocol/native/wire}.
func CheckImports(t *Tree) []Violation {
	var found []Violation
	for _, f := range t.goes {
		f.imports(func(spec *ast.ImportSpec, imported string) {
			if message := checkImport(f, imported); message != "" {
				found = append(found, Violation{t.at(f, spec.Pos()), message})
			}
		})
	}
	return found
}

// checkImport is empty for an import that is allowed. Tests may import anything that compiles.
func checkImport(f *goFile, imported string) string {
	if f.test {
		return ""
	}
	if matchesAny(testModules, imported) {
		return fmt.Sprintf("imports %s, which is for tests alone: move the code to a _test.go file", imported)
	}
	r := ringOf(f.dir)
	if r == nil {
		return fmt.Sprintf("lies outside the house: give %q a row in the rings of internal/archtest, or move it", f.dir)
	}
	if own, isOwn := strings.CutPrefix(imported, module+"/"); isOwn {
		return checkOwnImport(f, r, own)
	}
	if strings.Contains(strings.SplitN(imported, "/", 2)[0], ".") {
		if matchesAny(r.modules, imported) || len(r.modules) == 1 && r.modules[0] == anyModule {
			return ""
		}
		return fmt.Sprintf("imports %s: %s. Use what is there, or argue for the row of %q in internal/archtest", imported, r.why, r.dir)
	}
	if matches("realtime/...", f.dir) && matchesAny(realtimeBanned, imported) {
		return fmt.Sprintf("imports %s: realtime knows no network and no wire format: do it in protocol or server, behind a port", imported)
	}
	return ""
}

func checkOwnImport(f *goFile, r *ring, own string) string {
	for _, family := range families {
		mine, theirs := member(family, f.dir), member(family, own)
		if mine != "" && theirs != "" && mine != theirs {
			return fmt.Sprintf("imports its sibling %s: siblings in %s never import each other; move what both need to realtime or internal", own, family)
		}
	}
	// A row more specific than the whole top directory does not open that directory.
	if matches(r.dir+"/...", own) || matchesAny(r.own, own) {
		return ""
	}
	return fmt.Sprintf("imports %s: %s. Declare an interface here and let server or cmd hand in what satisfies it", own, r.why)
}

// member is the child of a family's directory that a directory belongs to, empty outside the family.
func member(family, dir string) string {
	rest, ok := strings.CutPrefix(dir, family+"/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

// ringOf is the most specific row for a directory, nil when there is none.
func ringOf(dir string) *ring {
	var best *ring
	for i := range rings {
		if r := &rings[i]; matches(r.dir+"/...", dir) && (best == nil || len(r.dir) > len(best.dir)) {
			best = r
		}
	}
	return best
}
