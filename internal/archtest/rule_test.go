package archtest

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

// tree parses a repository given as path → text.
func tree(t *testing.T, files map[string]string) *Tree {
	t.Helper()
	root := make(fstest.MapFS)
	for path, text := range files {
		root[path] = &fstest.MapFile{Data: []byte(text)}
	}
	loaded, err := Load(root)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// row is one source text and what a rule says of it: want is part of the only violation, empty when there is none.
type row struct {
	rule, path, text, want string
}

func run(t *testing.T, check func(*Tree) []Violation, rows []row) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.rule, func(t *testing.T) {
			found := check(tree(t, map[string]string{r.path: r.text}))
			switch {
			case r.want == "" && len(found) > 0:
				t.Fatalf("found %v, want nothing", found)
			case r.want != "" && (len(found) != 1 || !strings.Contains(found[0].String(), r.want)):
				t.Fatalf("found %v, want one with %q", found, r.want)
			}
		})
	}
}

func importing(packages ...string) string {
	text := "package x\n"
	for _, p := range packages {
		text += fmt.Sprintf("import _ %q\n", p)
	}
	return text
}

func own(dir string) string { return module + "/" + dir }

func TestImports(t *testing.T) {
	run(t, CheckImports, []row{
		{"the engine takes the standard library and x/sys", "websocket/a.go", importing("net", "golang.org/x/sys/unix", own("websocket/frame"), own("internal/safego")), ""},
		{"the engine takes no other module", "websocket/deflate/a.go", importing("github.com/klauspost/compress/flate"), "websocket/deflate/a.go:2: imports github.com/klauspost/compress/flate: the engine could leave"},
		{"the engine knows nothing of channels", "websocket/a.go", importing(own("realtime")), "imports realtime"},
		{"realtime knows no HTTP", "realtime/node/a.go", importing("net/http"), "knows no network"},
		{"realtime knows no JSON", "realtime/a.go", importing("encoding/json"), "no wire format"},
		{"realtime knows no backend", "realtime/node/a.go", importing(own("backend/memory")), "imports backend/memory"},
		{"realtime takes its own packages", "realtime/node/a.go", importing(own("realtime"), own("realtime/hub")), ""},
		{"realtime takes no module", "realtime/a.go", importing("google.golang.org/protobuf/proto"), "imports google.golang.org/protobuf/proto"},
		{"a test may import a backend", "realtime/node/a_test.go", importing(own("backend/memory")), ""},
		{"the simulation takes whole systems", "realtime/simulation/a.go", importing(own("backend/memory"), own("client/core"), own("realtime/node")), ""},
		{"backends never import each other", "backend/nats/a.go", importing(own("backend/memory")), "its sibling backend/memory"},
		{"protocols never import each other", "protocol/sse/a.go", importing(own("protocol/native/wire")), "its sibling protocol/native/wire"},
		{"a protocol takes its own packages", "protocol/native/a.go", importing(own("protocol/native/wire"), own("realtime/session")), ""},
		{"the wire takes the vocabulary", "protocol/native/wire/a.go", importing(own("realtime"), "google.golang.org/protobuf/encoding/protowire"), ""},
		{"the wire takes no session", "protocol/native/wire/a.go", importing(own("realtime/session")), "has no server in it"},
		{"the client takes the vocabulary and the wire", "client/a.go", importing(own("realtime"), own("websocket"), own("protocol/native/wire"), own("client/core")), ""},
		{"the client takes no hub", "client/a.go", importing(own("realtime/hub")), "must not bring the server along"},
		{"the client takes no protocol translator", "client/a.go", importing(own("protocol/native")), "imports protocol/native"},
		{"a backend takes no server", "backend/memory/a.go", importing(own("server/config")), "imports server/config"},
		{"server wires all", "server/a.go", importing(own("backend/memory"), own("protocol/native"), own("websocket"), own("web"), "github.com/golang-jwt/jwt/v5"), ""},
		{"server takes no client", "server/a.go", importing(own("client")), "imports client"},
		{"internal knows nothing of Bellwire", "internal/leak/a.go", importing(own("realtime")), "the bottom"},
		{"a more specific row does not inherit", "internal/hostmetrics/a.go", importing("github.com/shirou/gopsutil/v4/cpu"), ""},
		{"test modules stay in tests", "websocket/a.go", importing("github.com/gorilla/websocket"), "for tests alone"},
		{"test modules are free in tests", "websocket/a_test.go", importing("github.com/gorilla/websocket"), ""},
		{"a new top directory needs a row", "extra/a.go", importing("fmt"), "outside the house"},
	})
}

func TestCores(t *testing.T) {
	run(t, CheckCores, []row{
		{"a core reads no clock", "realtime/session/a.go", "package x\nimport \"time\"\nvar t = time.Now()\n", "a.go:3: uses time.Now: take `now`"},
		{"a core calculates with time", "realtime/session/a.go", "package x\nimport \"time\"\nvar d = 3 * time.Second\nvar t time.Time\n", ""},
		{"a renamed import is still a clock", "realtime/a.go", "package x\nimport clock \"time\"\nvar t = clock.NewTimer(1)\n", "uses time.NewTimer"},
		{"a deadline on a context is a clock", "client/core/a.go", "package x\nimport \"context\"\nvar f = context.WithTimeout\n", "uses context.WithTimeout"},
		{"a core opens nothing", "websocket/endpoint/a.go", importing("net"), "imports net: leave sockets"},
		{"a core reads no file", "protocol/native/a.go", importing("os"), "imports os"},
		{"a core draws no randomness", "realtime/session/a.go", importing("crypto/rand"), "imports crypto/rand"},
		{"a core uses no process-wide generator", "client/core/a.go", "package x\nimport \"math/rand/v2\"\nvar n = rand.IntN(3)\n", "uses math/rand/v2.IntN"},
		{"a core may use a seeded generator", "client/core/a.go", "package x\nimport \"math/rand/v2\"\nfunc f(r *rand.Rand) int { return r.IntN(3) }\nvar r = rand.New(rand.NewPCG(1, 2))\n", ""},
		{"a core has no lock", "realtime/session/a.go", "package x\nimport \"sync\"\nvar mu sync.Mutex\n", "uses sync.Mutex"},
		{"a core has no atomic", "realtime/session/a.go", "package x\nimport \"sync/atomic\"\nvar n atomic.Int64\n", "uses sync/atomic.Int64"},
		{"a core may reuse memory", "protocol/native/a.go", "package x\nimport \"sync\"\nvar p sync.Pool\n", ""},
		{"the hub has locks", "realtime/hub/a.go", "package x\nimport \"sync\"\nvar mu sync.Mutex\n", ""},
		{"a driver beside a core has clocks and locks", "realtime/hub/driver.go", "package x\nimport \"time\"\nvar t = time.NewTimer(0)\n", ""},
		{"a driver beside a core opens nothing", "realtime/hub/driver.go", importing("net"), "imports net"},
		{"the hub reads no clock", "realtime/hub/a.go", "package x\nimport \"time\"\nvar t = time.Since(time.Time{})\n", "uses time.Since"},
		{"a core starts no goroutine", "websocket/frame/a.go", "package x\nfunc f() { go f() }\n", "a.go:2: starts a goroutine"},
		{"the handshake speaks of headers", "websocket/handshake/a.go", importing("net/http", "net/url"), ""},
		{"a driver is no core", "websocket/a.go", "package x\nimport (\"net\"; \"sync\"; \"time\")\nvar _ = time.Now\nvar _ net.Conn\nvar _ sync.Mutex\n", ""},
		{"a test is no core", "realtime/session/a_test.go", "package x\nimport \"time\"\nvar t = time.Now()\n", ""},
	})
}

func TestSizes(t *testing.T) {
	function := func(lines int) string {
		return "package x\n\n// f has a comment that does not count.\nfunc f() {\n" + strings.Repeat("\tf()\n", lines-2) + "}\n"
	}
	run(t, CheckSizes, []row{
		{"a function of 70 lines", "realtime/a.go", function(70), ""},
		{"a function of 71 lines", "realtime/a.go", function(71), "a.go:4: f has 71 lines, at most 70"},
		{"a method is named with its type", "realtime/a.go", strings.Replace(function(71), "func f()", "func (x *T[K]) f()", 1), "T.f has 71 lines"},
		{"a file of 500 lines", "realtime/a.go", "package x\n" + strings.Repeat("\n", 499), ""},
		{"a file of 501 lines", "realtime/a.go", "package x\n" + strings.Repeat("\n", 500), "has 501 lines"},
		{"a test may be long", "realtime/a_test.go", function(900), ""},
		{"generated code may be long", "realtime/a.go", "// Code generated by x; DO NOT EDIT.\n\n" + function(900), ""},
	})
}

func TestNames(t *testing.T) {
	run(t, CheckNames, []row{
		{"a package called common", "realtime/x/a.go", "package common\n", "package common"},
		{"a directory called util", "internal/util/a.go", "package x\n", `"util" says nothing`},
		{"a file called helpers_test.go", "realtime/helpers_test.go", "package realtime\n", `"helpers_test.go" says nothing`},
		{"a TypeScript file called utils.ts", "web/client/src/utils.ts", "", `"utils.ts" says nothing`},
		{"a type that manages", "realtime/a.go", "package realtime\ntype SessionManager struct{}\n", "a.go:2: type SessionManager"},
		{"a noun", "realtime/baseline.go", "package realtime\ntype Session struct{}\n", ""},
	})
}

func TestPackageDocs(t *testing.T) {
	run(t, CheckPackageDocs, []row{
		{"a doc.go with the comment", "realtime/doc.go", "// Package realtime is.\npackage realtime\n", ""},
		{"no doc.go", "realtime/a.go", "package realtime\n", "realtime: has no doc.go"},
		{"a doc.go without comment", "realtime/doc.go", "package realtime\n", "has no doc.go with a package comment"},
		{"a comment that begins otherwise", "realtime/doc.go", "// The realtime package.\npackage realtime\n", `begins with "Package realtime "`},
		{"a command", "cmd/bellwire/doc.go", "// Command bellwire is.\npackage main\n", ""},
		{"a package of tests alone", "websocket/interop/a_test.go", "package interop\n", ""},
	})
	found := CheckPackageDocs(tree(t, map[string]string{
		"realtime/doc.go": "// Package realtime is.\npackage realtime\n",
		"realtime/a.go":   "// Package realtime is also.\npackage realtime\n",
	}))
	if len(found) != 1 || found[0].Where != "realtime/a.go" {
		t.Errorf("a second package comment: found %v", found)
	}
}

func TestHabits(t *testing.T) {
	run(t, CheckHabits, []row{
		{"a library does not print", "realtime/a.go", "package x\nimport \"fmt\"\nfunc f() { fmt.Println() }\n", "uses fmt.Println"},
		{"a library may format", "realtime/a.go", "package x\nimport \"fmt\"\nvar s = fmt.Sprint(1)\n", ""},
		{"a library does not use the process's log", "websocket/a.go", "package x\nimport \"log\"\nfunc f() { log.Printf(\"\") }\n", "uses log.Printf"},
		{"slog is not log", "websocket/a.go", "package x\nimport \"log/slog\"\nvar l *slog.Logger\n", ""},
		{"cmd may print", "cmd/bellwire/sub/a.go", "package x\nimport \"fmt\"\nfunc f() { fmt.Println() }\n", ""},
		{"a command elsewhere may print and exit", "internal/codegen/a.go", "package main\nimport (\"fmt\"; \"os\")\nfunc f() { fmt.Println(); os.Exit(1) }\n", ""},
		{"a library does not exit", "server/a.go", "package x\nimport \"os\"\nfunc f() { os.Exit(1) }\n", "uses os.Exit"},
		{"the environment is the configuration's", "server/api/a.go", "package x\nimport \"os\"\nvar s = os.Getenv(\"A\")\n", "uses os.Getenv"},
		{"the configuration reads the environment", "server/config/a.go", "package x\nimport \"os\"\nvar s = os.Getenv(\"A\")\n", ""},
		{"goroutines have an owner", "websocket/a.go", "package x\nfunc f() { go f() }\n", "use a safego.Group"},
		{"safego starts goroutines", "internal/safego/a.go", "package x\nfunc f() { go f() }\n", ""},
		{"nothing registers itself", "protocol/sse/a.go", "package x\nfunc init() {}\n", "has an init"},
		{"a method may be called init", "protocol/sse/a.go", "package x\nfunc (t T) init() {}\n", ""},
		{"println is for debugging", "realtime/a.go", "package x\nfunc f() { println(1) }\n", "uses println"},
		{"tests are free", "realtime/a_test.go", "package x\nimport \"os\"\nfunc f() { go f(); _ = os.Getenv(\"A\") }\n", ""},
	})
}

func TestFinished(t *testing.T) {
	mark := "TO" + "DO"
	run(t, CheckFinished, []row{
		{"a mark in Go", "realtime/a.go", "package x\n\n// " + mark + ": more\n", "a.go:3: " + mark},
		{"a mark in TypeScript", "web/demo/src/a.ts", "// " + mark + "\n", "a.ts:1"},
		{"a word that contains it", "realtime/a.go", "package x\n\n// MASTO" + "DON\n", ""},
	})
}

func TestScriptCores(t *testing.T) {
	run(t, CheckScriptCores, []row{
		{"a clock", "web/client/src/core/a.ts", "const now = Date.now();\n", "a.ts:1: Date.now"},
		{"a timer", "web/client/src/core/a.ts", "setTimeout(f, 1);\n", "setTimeout"},
		{"randomness", "web/client/src/core/a.ts", "const r = Math.random();\n", "Math.random"},
		{"a socket", "web/client/src/core/a.ts", "new WebSocket(url);\n", "new WebSocket"},
		{"a comment about one", "web/client/src/core/a.ts", "// not setTimeout(\n/** nor Date.now */\n", ""},
		{"a driver may", "web/client/src/client.ts", "setTimeout(f, Date.now());\n", ""},
	})
}

func TestLock(t *testing.T) {
	run(t, CheckLock, []row{
		{"a host", "web/package-lock.json", `{"resolved": "https://example.org/x.tgz"}`, "names a host"},
		{"no host", "web/package-lock.json", `{"integrity": "sha512-abc=="}`, ""},
	})
}

func TestDependencies(t *testing.T) {
	const list = "| module | why |\n|---|---|\n| `example.org/a/v2` | For a. |\n| `tool` | To build. |\n"
	const manifest = `{"dependencies": {"@bellwire/client": "1"}, "devDependencies": {"tool": "1"}}`
	rows := []struct {
		rule, code, manifest string
		want                 []string
	}{
		{"rows and uses agree", importing("example.org/a/v2/b", "fmt", own("realtime")), manifest, nil},
		{"a module needs a row", importing("example.org/a/v2", "example.org/other"), manifest, []string{"x.go:3: example.org/other has no row"}},
		{"another major version is another module", importing("example.org/a/v2", "example.org/a/v3"), manifest, []string{"example.org/a/v3 has no row"}},
		{"a row needs a use", importing("fmt"), manifest, []string{"example.org/a/v2 is not used"}},
		{"a package needs a row", importing("example.org/a/v2"), `{"devDependencies": {"tool": "1", "more": "1"}}`, []string{"package.json: more has no row"}},
	}
	for _, row := range rows {
		t.Run(row.rule, func(t *testing.T) {
			found := CheckDependencies(tree(t, map[string]string{dependencyList: list, "x.go": row.code, "package.json": row.manifest}))
			if len(found) != len(row.want) {
				t.Fatalf("found %v, want %d", found, len(row.want))
			}
			for i, want := range row.want {
				if !strings.Contains(found[i].String(), want) {
					t.Errorf("found %q, want %q", found[i], want)
				}
			}
		})
	}
}

// The clauses here are of invented families, so that they count as citations of nothing in this repository.
func TestClauses(t *testing.T) {
	const document = "- **QQQ-1** One.\n- **QQQ-2** Two, see QQQ-1.\n\nAn example such as **RRR-9** defines nothing.\n"
	rows := []struct {
		rule  string
		files map[string]string
		want  []string
	}{
		{
			"each clause needs a test, in Go or TypeScript",
			map[string]string{specification: document, "a_test.go": "package a\n// QQQ-1\n", "web/a.test.ts": `test("QQQ-2: two")`},
			nil,
		},
		{
			"a vector is a test",
			map[string]string{specification: document, "spec/vectors/x/a.json": `{"clauses": ["QQQ-1"]}`, "b_test.go": "package a\n// QQQ-2\n"},
			nil,
		},
		{
			"a citation in code is no test",
			map[string]string{specification: document, "a_test.go": "package a\n// QQQ-1\n", "a.go": "package a\n// QQQ-2\n"},
			[]string{"QQQ-2 is cited by no test"},
		},
		{
			"a citation names a clause that exists",
			map[string]string{specification: document, "a_test.go": "package a\n// QQQ-1, QQQ-2\n", "b.go": "package a\n\n// QQQ-3, UTF-8\n"},
			[]string{"b.go:3: QQQ-3 is cited but not defined"},
		},
		{
			"a document may not cite what is not there",
			map[string]string{specification: document, "a_test.go": "package a\n// QQQ-1, QQQ-2\n", "docs/A.md": "see QQQ-4\n"},
			[]string{"docs/A.md:1: QQQ-4"},
		},
		{
			"a longer number is another clause",
			map[string]string{specification: document, "a_test.go": "package a\n// QQQ-1, QQQ-2\n", "b_test.go": "package a\n// QQQ-22\n"},
			[]string{"QQQ-22 is cited but not defined"},
		},
		{
			"no clause is defined twice",
			map[string]string{specification: "- **QQQ-1** One.\n- **QQQ-1** Again.\n", "a_test.go": "package a\n// QQQ-1\n"},
			[]string{"QQQ-1 is defined twice"},
		},
		{
			"a specification without clauses is none",
			map[string]string{specification: "# Title\n"},
			[]string{"defines no clause"},
		},
	}
	for _, row := range rows {
		t.Run(row.rule, func(t *testing.T) {
			found := CheckClauses(tree(t, row.files))
			if len(found) != len(row.want) {
				t.Fatalf("found %v, want %d", found, len(row.want))
			}
			for i, want := range row.want {
				if !strings.Contains(found[i].String(), want) {
					t.Errorf("found %q, want %q", found[i], want)
				}
			}
		})
	}
}

func TestLoadLeavesOutWhatIsNotOurs(t *testing.T) {
	loaded := tree(t, map[string]string{
		"realtime/a.go":               "package x\n",
		"realtime/testdata/broken.go": "not Go\n",
		"web/node_modules/x/a.go":     "not Go\n",
		"bench/go.mod":                "module bench\n",
		"bench/a.go":                  "not Go\n",
		".hidden/a.go":                "not Go\n",
	})
	if len(loaded.goes) != 1 || loaded.goes[0].path != "realtime/a.go" {
		t.Fatalf("loaded %d Go files", len(loaded.goes))
	}
}

func TestLoadReportsASyntaxError(t *testing.T) {
	_, err := Load(fstest.MapFS{"a.go": {Data: []byte("package x\nfunc {\n")}})
	if err == nil || !strings.Contains(err.Error(), "parsing a.go") {
		t.Fatalf("got %v", err)
	}
}
