package archtest

import (
	"os"
	"strings"
	"sync"
	"testing"
)

var repository = sync.OnceValues(func() (*Tree, error) { return Load(os.DirFS("../..")) })

// TestHouse holds this repository to every rule.
func TestHouse(t *testing.T) {
	rules := []struct {
		name  string
		check func(*Tree) []Violation
	}{
		{"imports point one way", CheckImports},
		{"cores are pure", CheckCores},
		{"functions and files are short", CheckSizes},
		{"names say something", CheckNames},
		{"packages are documented", CheckPackageDocs},
		{"libraries leave to others what is theirs", CheckHabits},
		{"nothing is unfinished", CheckFinished},
		{"the TypeScript core is pure", CheckScriptCores},
		{"the npm lock names no host", CheckLock},
		{"dependencies have a reason", CheckDependencies},
		{"clauses are tested and citations exist", CheckClauses},
	}
	tree, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range rules {
		t.Run(rule.name, func(t *testing.T) {
			for _, v := range rule.check(tree) {
				t.Error(v)
			}
		})
	}
}

// An exception whose file is gone would let the next file of that name break the rule unseen.
func TestExceptionsExist(t *testing.T) {
	tree, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	paths := make(map[string]bool)
	for _, f := range tree.goes {
		paths[f.path] = true
	}
	for _, table := range []map[string]string{drivers, longFiles, longFunctions} {
		for key := range table {
			if path, _, _ := strings.Cut(key, " "); !paths[path] {
				t.Errorf("%s has an exception and does not exist: remove the row", path)
			}
		}
	}
}
