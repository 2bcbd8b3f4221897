package mutation

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"testing"
)

// Check fails t for each mutant of a bank that proves nothing any more: its text has gone, or it stands there twice. Root is where the
// files are, from the directory of the test.
func Check(t *testing.T, root string, bank []Mutant) {
	t.Helper()
	faults, changes := make(map[string]bool), make(map[string]bool)
	for _, m := range bank {
		if err := check(root, m); err != nil {
			t.Errorf("%s %s: %v", m.Class, m.Fault, err)
		}
		change := m.File + "\x00" + m.Old + "\x00" + m.New
		if faults[m.Fault] || changes[change] {
			t.Errorf("%s %s stands in the bank twice", m.Class, m.Fault)
		}
		faults[m.Fault], changes[change] = true, true
	}
}

func check(root string, m Mutant) error {
	source, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(m.File)))
	if err != nil {
		return err
	}
	changed, err := m.apply(string(source))
	if err != nil || filepath.Ext(m.File) != ".go" {
		return err // a mutant of assembly that does not build is found when it is run
	}
	_, err = parser.ParseFile(token.NewFileSet(), m.File, changed, parser.SkipObjectResolution)
	return err
}
