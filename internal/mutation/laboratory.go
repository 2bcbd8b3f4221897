package mutation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// testTimeout is for a mutant that hangs; to hang is to be noticed.
const testTimeout = 2 * time.Minute

// interruptMax is how long go gets to end when the run is interrupted.
const interruptMax = 10 * time.Second

// verdict is what became of a mutant.
type verdict string

const (
	killed   verdict = "killed"
	survived verdict = "SURVIVED"
	broken   verdict = "BROKEN" // it does not apply, or does not build
)

// A laboratory runs tests of the module in directory. Files and packages of its mutants are below root, a part of it. What
// is written meanwhile, also by go and by the tests, is in scratch.
type laboratory struct{ directory, root, scratch string }

// moduleDirectory finds the root of the module.
func moduleDirectory(ctx context.Context) (string, error) {
	output, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("looking for the module: %w", err)
	}
	return strings.TrimSpace(string(output)), nil
}

// checkUnchanged runs the tests that the mutants name without any mutant.
func (l *laboratory) checkUnchanged(ctx context.Context, mutants []Mutant) error {
	type run struct {
		race  bool
		tests string
	}
	seen := make(map[run]bool)
	for _, m := range mutants {
		for tests := range strings.FieldsSeq(m.Tests) {
			r := run{m.Race, tests}
			if seen[r] {
				continue
			}
			seen[r] = true
			if output, err := l.goTest(ctx, r.race, "", r.tests); err != nil {
				return fmt.Errorf("the tests of %s fail without any mutant:\n%s", tests, output)
			}
		}
	}
	return nil
}

// test builds a mutant and runs the packages that must notice it, one after the other until one does. It
// also says which test noticed.
func (l *laboratory) test(ctx context.Context, m Mutant) (verdict, string) {
	overlay, cleanUp, err := l.overlay(m)
	if err != nil {
		return broken, ": " + err.Error()
	}
	defer cleanUp()
	for tests := range strings.FieldsSeq(m.Tests) {
		output, err := l.goTest(ctx, m.Race, overlay, tests)
		switch {
		case strings.Contains(output, "[build failed]") || strings.Contains(output, "[setup failed]"):
			return broken, ":\n" + output
		case err != nil:
			name, _, _ := strings.Cut(tests, ":")
			return killed, " [" + name + " " + noticed(output) + "]"
		}
	}
	return survived, ""
}

// goTest runs the tests of a package, or those of it that are named after a colon.
func (l *laboratory) goTest(ctx context.Context, race bool, overlay, tests string) (output string, err error) {
	name, pattern, _ := strings.Cut(tests, ":")
	arguments := []string{"test", "-vet=off", "-failfast", "-timeout", testTimeout.String()}
	if race {
		arguments = append(arguments, "-race")
	}
	if overlay != "" {
		arguments = append(arguments, "-overlay", overlay)
	}
	if pattern != "" {
		arguments = append(arguments, "-run", pattern)
	}
	arguments = append(arguments, "./"+filepath.ToSlash(filepath.Join(l.root, name)))
	command := exec.CommandContext(ctx, "go", arguments...)
	command.Dir = l.directory
	command.Env = append(command.Environ(), "TMPDIR="+l.scratch, "GOTMPDIR="+l.scratch)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) } // so that go removes what it has built
	command.WaitDelay = interruptMax
	result, err := command.CombinedOutput()
	return string(result), err
}

// overlay writes the changed file, and the list that makes go build it instead of the one in the tree.
func (l *laboratory) overlay(m Mutant) (name string, cleanUp func(), err error) {
	original := filepath.Join(l.directory, l.root, filepath.FromSlash(m.File))
	source, err := os.ReadFile(original)
	if err != nil {
		return "", nil, err
	}
	changed, err := m.apply(string(source))
	if err != nil {
		return "", nil, err
	}
	scratch, err := os.MkdirTemp(l.scratch, "mutant")
	if err != nil {
		return "", nil, err
	}
	replacement := filepath.Join(scratch, filepath.Base(m.File))
	list, err := json.Marshal(map[string]map[string]string{"Replace": {original: replacement}})
	name = filepath.Join(scratch, "overlay.json")
	err = errors.Join(err,
		os.WriteFile(replacement, []byte(changed), 0o600),
		os.WriteFile(name, list, 0o600))
	return name, func() { os.RemoveAll(scratch) }, err
}

var failedTest = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)

// noticed is the first test that failed, or how else the tests ended.
func noticed(output string) string {
	switch match := failedTest.FindStringSubmatch(output); {
	case match != nil:
		return match[1]
	case strings.Contains(output, "test timed out"):
		return "hangs"
	case strings.Contains(output, "panic:"), strings.Contains(output, "fatal error:"):
		return "panics"
	case strings.Contains(output, "goroutines are left"):
		return "leaks"
	}
	return "fails"
}
