package archtest

import (
	"encoding/json"
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
)

const dependencyList = "docs/DEPENDENCIES.md"

// dependencyRow is a row of a table whose first cell is one name in backticks. Settings are named likewise, but not there.
var dependencyRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\|")

// CheckDependencies wants a row with a reason for each module and npm package that is used directly, and no other row.
func CheckDependencies(t *Tree) []Violation {
	rows := make(map[string]bool) // name → used
	for _, f := range t.texts {
		if f.path == dependencyList {
			for _, match := range dependencyRow.FindAllStringSubmatch(string(f.text), -1) {
				rows[match[1]] = false
			}
		}
	}
	var found []Violation
	use := func(where, name string) {
		row, ok := rowOf(rows, name)
		if !ok {
			found = append(found, Violation{where, name + " has no row in " + dependencyList + ": write down why it is needed, or do without"})
			return
		}
		rows[row] = true
	}
	for _, f := range t.goes {
		f.imports(func(spec *ast.ImportSpec, imported string) {
			if first, _, _ := strings.Cut(imported, "/"); strings.Contains(first, ".") && !matches(module+"/...", imported) {
				use(t.at(f, spec.Pos()), imported)
			}
		})
	}
	for _, f := range t.texts {
		if path.Base(f.path) == "package.json" {
			for _, name := range npmDependencies(f.text) {
				use(f.path, name)
			}
		}
	}
	for row, used := range rows {
		if !used {
			found = append(found, Violation{dependencyList, row + " is not used: remove the row, and the requirement"})
		}
	}
	slices.SortFunc(found, func(a, b Violation) int { return strings.Compare(a.String(), b.String()) })
	return found
}

// rowOf is the longest row that is the name, or a module that the package with that name belongs to.
func rowOf(rows map[string]bool, name string) (row string, ok bool) {
	for r := range rows {
		if matches(r+"/...", name) && len(r) > len(row) {
			row, ok = r, true
		}
	}
	return row, ok
}

// npmDependencies leaves out the packages of the workspace itself. A file that is no JSON is npm's to complain about.
func npmDependencies(manifest []byte) []string {
	var m struct {
		Dependencies    map[string]string `json:"dependencies"`
		DevDependencies map[string]string `json:"devDependencies"`
	}
	if json.Unmarshal(manifest, &m) != nil {
		return nil
	}
	var names []string
	for _, group := range []map[string]string{m.Dependencies, m.DevDependencies} {
		for name := range group {
			if !strings.HasPrefix(name, "@bellwire/") {
				names = append(names, name)
			}
		}
	}
	return names
}
