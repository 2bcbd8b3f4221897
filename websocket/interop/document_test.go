package interop

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// documents are the pages about the engine, whose claims are held here.
const documents = "../../docs/websocket/"

func document(t *testing.T, name string) string {
	text, err := os.ReadFile(documents + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var goProgram = regexp.MustCompile("(?s)```go\n(package main\n.*?)```")

// TestMigratingCompiles compiles every program of the page, from an overlay: they are in no directory of the tree.
func TestMigratingCompiles(t *testing.T) {
	programs := goProgram.FindAllStringSubmatch(document(t, "MIGRATING.md"), -1)
	if len(programs) != 6 {
		t.Errorf("%d programs", len(programs))
	}
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	scratch := t.TempDir()
	replace := make(map[string]string)
	arguments := []string{"list", "-export", "-overlay", filepath.Join(scratch, "overlay.json")}
	for i, program := range programs {
		directory := fmt.Sprintf("program%d", i+1)
		written := filepath.Join(scratch, directory+".go")
		if err := os.WriteFile(written, []byte(program[1]), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(here, directory, "main.go")] = written
		arguments = append(arguments, "./"+directory)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(scratch, "overlay.json"), overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	if output, err := exec.Command("go", arguments...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

// A proof is a test by its package and name, such as `frame.TestHeader`; the driver's package is `websocket`.
var proof = regexp.MustCompile("`([a-z0-9]+)\\.((?:Test|Fuzz)[A-Za-z0-9]*)`")

// TestConformanceIsProven wants a test that exists in every row of the matrix.
func TestConformanceIsProven(t *testing.T) {
	sources := make(map[string]string) // package → its tests
	rows := 0
	for _, row := range strings.Split(document(t, "CONFORMANCE.md"), "\n") {
		if !strings.HasPrefix(row, "| 6455 ") && !strings.HasPrefix(row, "| 7692 ") && !strings.HasPrefix(row, "| 8441 ") {
			continue
		}
		rows++
		proofs := proof.FindAllStringSubmatch(row, -1)
		checkProofs(t, row, proofs, sources)
		if want := driverOf(proofs); !strings.Contains(row, " | "+want+" | ") {
			t.Errorf("its tests prove it over %s: %s", want, row)
		}
	}
	if rows < 60 {
		t.Errorf("%d rows", rows)
	}
}

// checkProofs wants a row to have tests that exist. Sources holds those of packages that were looked at.
func checkProofs(t *testing.T, row string, proofs [][]string, sources map[string]string) {
	t.Helper()
	if len(proofs) == 0 {
		t.Errorf("no test proves it: %s", row)
	}
	for _, p := range proofs {
		if _, ok := sources[p[1]]; !ok {
			sources[p[1]] = testsOf(t, p[1])
		}
		if !strings.Contains(sources[p[1]], "func "+p[2]+"(") {
			t.Errorf("%s.%s does not exist", p[1], p[2])
		}
	}
}

// driverOf says over which driver of connections tests run, by their packages.
func driverOf(proofs [][]string) string {
	over := make(map[string]bool)
	for _, p := range proofs {
		over[p[1]] = true
	}
	switch goroutine := over["websocket"] || over["http2"]; {
	case over["conformance"], goroutine && over["reactor"]:
		return "both"
	case goroutine:
		return "goroutine"
	case over["reactor"]:
		return "reactor"
	}
	return "core"
}

// aroundTheEngine are packages whose tests hold what a server does around it.
var aroundTheEngine = map[string]string{
	"server": "../../server", "transport": "../../server/transport", "blackbox": "../../server/blackbox",
}

func testsOf(t *testing.T, name string) string {
	directory := ".."
	switch around := aroundTheEngine[name]; {
	case around != "":
		directory = around
	case name != "websocket":
		directory = filepath.Join("..", name)
	}
	files, err := filepath.Glob(filepath.Join(directory, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(source)
	}
	return all.String()
}
