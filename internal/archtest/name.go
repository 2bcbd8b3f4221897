package archtest

import (
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
)

// emptyNames say nothing of what a package or file is about.
var emptyNames = []string{"util", "utils", "common", "helper", "helpers", "base", "manager", "managers", "types", "misc", "shared"}

// emptyType matches the same for types.
var emptyType = regexp.MustCompile(`(Manager|Helper|Helpers|Util|Utils)$`)

// CheckNames refuses names that say nothing, in Go and TypeScript.
func CheckNames(t *Tree) []Violation {
	var found []Violation
	const advice = "name it for the noun it holds"
	for _, f := range t.goes {
		if slices.Contains(emptyNames, strings.TrimSuffix(f.ast.Name.Name, "_test")) {
			found = append(found, Violation{f.path, fmt.Sprintf("package %s: %s", f.ast.Name.Name, advice)})
		}
		for _, decl := range f.ast.Decls {
			found = append(found, t.checkTypeNames(f, decl)...)
		}
	}
	for _, p := range t.codePaths() {
		for _, element := range strings.Split(p, "/") {
			stem, _, _ := strings.Cut(element, ".")
			if slices.Contains(emptyNames, strings.TrimSuffix(stem, "_test")) {
				found = append(found, Violation{p, fmt.Sprintf("%q says nothing: %s", element, advice)})
			}
		}
	}
	return found
}

func (t *Tree) checkTypeNames(f *goFile, decl ast.Decl) []Violation {
	general, ok := decl.(*ast.GenDecl)
	if !ok {
		return nil
	}
	var found []Violation
	for _, spec := range general.Specs {
		if typ, ok := spec.(*ast.TypeSpec); ok && emptyType.MatchString(typ.Name.Name) {
			found = append(found, Violation{t.at(f, typ.Pos()), fmt.Sprintf("type %s: say what it does, or what it holds", typ.Name.Name)})
		}
	}
	return found
}

// codePaths are the paths of all Go, TypeScript and JavaScript files.
func (t *Tree) codePaths() []string {
	var paths []string
	for _, f := range t.goes {
		paths = append(paths, f.path)
	}
	for _, f := range t.texts {
		if hasAnySuffix(f.path, []string{".ts", ".mjs"}) {
			paths = append(paths, f.path)
		}
	}
	return paths
}

// CheckPackageDocs wants a doc.go with the package comment in every package, and no second comment elsewhere.
func CheckPackageDocs(t *Tree) []Violation {
	documented := make(map[string]bool)
	var dirs []string
	var found []Violation
	for _, f := range t.goes {
		if f.test {
			continue
		}
		if !slices.Contains(dirs, f.dir) {
			dirs = append(dirs, f.dir)
		}
		if f.ast.Doc == nil {
			continue
		}
		if path.Base(f.path) != "doc.go" {
			found = append(found, Violation{f.path, "has a package comment: it belongs in doc.go alone"})
			continue
		}
		documented[f.dir] = true
		if text := f.ast.Doc.Text(); !strings.HasPrefix(text, docStart(f)) {
			found = append(found, Violation{f.path, fmt.Sprintf("the package comment begins with %q", docStart(f))})
		}
	}
	for _, dir := range dirs {
		if !documented[dir] {
			found = append(found, Violation{dir, "has no doc.go with a package comment: say what the package is, what it is not, how it is used, concurrency and invariants"})
		}
	}
	return found
}

// docStart is what `go doc` expects a package comment to begin with.
func docStart(f *goFile) string {
	if f.isMain() {
		return "Command " + path.Base(f.dir) + " "
	}
	return "Package " + f.ast.Name.Name + " "
}
