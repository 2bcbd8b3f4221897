package main

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A mutant whose text has gone proves nothing any more.
func TestMutantsApply(t *testing.T) {
	for _, m := range bank() {
		source, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(m.file)))
		if err != nil {
			t.Error(err)
			continue
		}
		changed, err := m.apply(string(source))
		if err != nil {
			t.Errorf("%s %s: %v", m.class, m.fault, err)
			continue
		}
		if _, err := parser.ParseFile(token.NewFileSet(), m.file, changed, parser.SkipObjectResolution); err != nil {
			t.Errorf("%s %s: %v", m.class, m.fault, err)
		}
	}
}

func TestMutantsAreDistinct(t *testing.T) {
	faults := make(map[string]bool)
	changes := make(map[string]bool)
	for _, m := range bank() {
		change := m.file + "\x00" + m.old + "\x00" + m.new
		if faults[m.fault] || changes[change] {
			t.Errorf("%s %s stands in the bank twice", m.class, m.fault)
		}
		faults[m.fault], changes[change] = true, true
	}
}

// TestMutantsOfEachClass wants a mutant for each class of fault that a WebSocket engine can have. VC-06 and VC-24 are
// of the server around it: what may come before login, and which hosts an admin page answers to; so is VC-25, the route past the login.
func TestMutantsOfEachClass(t *testing.T) {
	counts := make(map[string]int)
	for _, m := range bank() {
		counts[m.class]++
	}
	for _, class := range strings.Fields(
		"VC-01 VC-02 VC-03 VC-04 VC-05 VC-07 VC-08 VC-09 VC-10 VC-11 VC-12 VC-13 VC-14 VC-20 VC-21 VC-22 VC-23") {
		if counts[class] == 0 {
			t.Errorf("no mutant of %s", class)
		}
	}
	if len(bank()) < 40 {
		t.Errorf("%d mutants", len(bank()))
	}
}

func TestNoticed(t *testing.T) {
	for output, want := range map[string]string{
		"--- FAIL: TestA (0.00s)\n    --- FAIL: TestA/b (0.00s)\nFAIL": "TestA",
		"panic: test timed out after 2m0s":                             "hangs",
		"panic: index out of range":                                    "panics",
		"goroutines are left:\n":                                       "leaks",
		"exit status 2":                                                "fails",
	} {
		if got := noticed(output); got != want {
			t.Errorf("%q: %q, want %q", output, got, want)
		}
	}
}
