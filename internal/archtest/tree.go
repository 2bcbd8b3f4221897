package archtest

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"strings"
)

// module is the path of this module; imports below it are the repository's own.
const module = "github.com/bellwire/bellwire"

// A Tree is the text of a repository. Immutable after Load.
type Tree struct {
	fset  *token.FileSet
	goes  []*goFile
	texts []*textFile // TypeScript, JavaScript, documents and data
}

type goFile struct {
	path      string // from the root, with forward slashes
	dir       string // path without its last element, "." at the root
	text      []byte
	ast       *ast.File
	test      bool
	generated bool
}

type textFile struct {
	path string
	text []byte
}

// A Violation is one place that breaks a rule.
type Violation struct {
	Where   string // path, or path:line
	Message string // what is wrong, and what to do
}

func (v Violation) String() string { return v.Where + ": " + v.Message }

// skippedDirs hold nothing of ours, or what was built.
var skippedDirs = map[string]bool{
	"node_modules": true, "testdata": true, "bin": true, "build": true, "dist": true, "screenshots-out": true,
}

// testDirs hold tests that other packages run, such as the contract suite of a port: tests in files of another name.
var testDirs = map[string]bool{
	"realtime/backendtest": true,
}

// textSuffixes are the files besides Go that rules read.
var textSuffixes = []string{".ts", ".mjs", ".md", ".json", ".proto", ".yaml"}

// Load reads and parses a repository. Directories with a go.mod of their own are other modules and left out.
func Load(root fs.FS) (*Tree, error) {
	t := &Tree{fset: token.NewFileSet()}
	err := fs.WalkDir(root, ".", func(p string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && p != "." && isForeign(root, p):
			return fs.SkipDir
		case !entry.Type().IsRegular():
			return nil
		}
		return t.add(root, p)
	})
	return t, err
}

func isForeign(root fs.FS, dir string) bool {
	name := path.Base(dir)
	if skippedDirs[name] || strings.HasPrefix(name, ".") {
		return true
	}
	_, err := fs.Stat(root, path.Join(dir, "go.mod"))
	return err == nil
}

func (t *Tree) add(root fs.FS, p string) error {
	isGo := strings.HasSuffix(p, ".go")
	if !isGo && !hasAnySuffix(p, textSuffixes) {
		return nil
	}
	text, err := fs.ReadFile(root, p)
	if err != nil {
		return err
	}
	if !isGo {
		t.texts = append(t.texts, &textFile{path: p, text: text})
		return nil
	}
	parsed, err := parser.ParseFile(t.fset, p, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return fmt.Errorf("parsing %s: %w", p, err)
	}
	t.goes = append(t.goes, &goFile{
		path:      p,
		dir:       path.Dir(p),
		text:      text,
		ast:       parsed,
		test:      strings.HasSuffix(p, "_test.go") || testDirs[path.Dir(p)],
		generated: ast.IsGenerated(parsed),
	})
	return nil
}

// sources are the Go files that people wrote and that are no tests.
func (t *Tree) sources() []*goFile {
	var files []*goFile
	for _, f := range t.goes {
		if !f.test && !f.generated {
			files = append(files, f)
		}
	}
	return files
}

func (t *Tree) at(f *goFile, pos token.Pos) string {
	return fmt.Sprintf("%s:%d", f.path, t.fset.Position(pos).Line)
}

// imports calls visit with each import path of a file.
func (f *goFile) imports(visit func(spec *ast.ImportSpec, imported string)) {
	for _, spec := range f.ast.Imports {
		visit(spec, strings.Trim(spec.Path.Value, `"`))
	}
}

// isMain reports whether the file belongs to a command.
func (f *goFile) isMain() bool { return f.ast.Name.Name == "main" }

// calls calls visit with each use of a function or value of an imported package, such as time.Now.
func (f *goFile) uses(visit func(sel *ast.SelectorExpr, imported, name string)) {
	names := make(map[string]string) // how the file names a package → its import path
	f.imports(func(spec *ast.ImportSpec, imported string) {
		if spec.Name != nil {
			names[spec.Name.Name] = imported
		} else {
			names[defaultName(imported)] = imported
		}
	})
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && names[x.Name] != "" {
				visit(sel, names[x.Name], sel.Sel.Name)
			}
		}
		return true
	})
}

// defaultName is the last element of an import path that is no version.
func defaultName(imported string) string {
	name := path.Base(imported)
	if len(name) > 1 && name[0] == 'v' && strings.Trim(name[1:], "0123456789") == "" {
		name = path.Base(path.Dir(imported))
	}
	return name
}

func countLines(text []byte) int { return bytes.Count(text, []byte("\n")) }

func hasAnySuffix(s string, suffixes []string) bool {
	for _, suffix := range suffixes {
		if strings.HasSuffix(s, suffix) {
			return true
		}
	}
	return false
}

// matches reports whether a path is what a pattern names: "a/b" is that path alone, "a/b/..." also everything below.
func matches(pattern, p string) bool {
	base, isTree := strings.CutSuffix(pattern, "/...")
	return p == base || isTree && strings.HasPrefix(p, base+"/")
}

func matchesAny(patterns []string, p string) bool {
	for _, pattern := range patterns {
		if matches(pattern, p) {
			return true
		}
	}
	return false
}
