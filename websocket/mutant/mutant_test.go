package mutant

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// mutant is one fault: in a file, one piece of text becomes another.
type mutant struct {
	class string // of the vulnerability catalogue, or the clause
	fault string
	file  string
	old   string
	new   string
	tests string // packages whose tests must notice
}

const module = "github.com/bellwire/bellwire/websocket"

// A mutant whose text has gone says nothing any more: it must be renewed.
func TestMutantsApply(t *testing.T) {
	if len(bank) < 40 {
		t.Errorf("%d mutants", len(bank))
	}
	for _, m := range bank {
		source, err := os.ReadFile(filepath.Join("..", m.file))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(source), m.old); n != 1 {
			t.Errorf("%s %s: its text stands %d times in %s", m.class, m.fault, n, m.file)
		}
	}
}

// Every mutant is killed.
func TestMutantsDie(t *testing.T) {
	if os.Getenv("BELLWIRE_MUTANTS") == "" {
		t.Skip("set BELLWIRE_MUTANTS=1 to build and run the mutants")
	}
	for _, m := range bank {
		t.Run(m.class+" "+m.fault, func(t *testing.T) {
			if output, survived := run(t, m); survived {
				t.Errorf("survives:\n%s", output)
			}
		})
	}
}

// run builds and tests a mutant, and reports whether nothing failed.
func run(t *testing.T, m mutant) (output string, survived bool) {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", m.file))
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	changed := filepath.Join(directory, filepath.Base(m.file))
	write(t, changed, []byte(strings.Replace(string(source), m.old, m.new, 1)))
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {path: changed}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(directory, "overlay.json"), overlay)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	arguments := []string{"test", "-vet=off", "-failfast", "-timeout", "60s", "-overlay", filepath.Join(directory, "overlay.json")}
	for name := range strings.FieldsSeq(m.tests) {
		arguments = append(arguments, strings.TrimSuffix(module+"/"+name, "/."))
	}
	result, err := exec.CommandContext(ctx, "go", arguments...).CombinedOutput()
	if strings.Contains(string(result), "build failed") {
		t.Fatalf("does not build:\n%s", result)
	}
	return string(result), err == nil
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
