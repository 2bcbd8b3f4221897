package archtest

import (
	"fmt"
	"go/ast"
)

const (
	functionLinesMax = 70 // signature and braces included
	fileLinesMax     = 500
)

// longFiles and longFunctions are the exceptions, each with its reason. Best is none.
var (
	longFiles     = map[string]string{} // path → why
	longFunctions = map[string]string{} // path and function, such as "a/b.go Conn.read" → why
)

// CheckSizes holds functions and files of hand-written code to their lengths. Tests may be longer: tables are.
func CheckSizes(t *Tree) []Violation {
	var found []Violation
	for _, f := range t.sources() {
		if lines := countLines(f.text); lines > fileLinesMax && longFiles[f.path] == "" {
			found = append(found, Violation{f.path, fmt.Sprintf(
				"has %d lines, at most %d: find the second concept in it and give that its own file", lines, fileLinesMax)})
		}
		for _, decl := range f.ast.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok {
				found = append(found, t.checkFunction(f, fn)...)
			}
		}
	}
	return found
}

func (t *Tree) checkFunction(f *goFile, fn *ast.FuncDecl) []Violation {
	lines := t.fset.Position(fn.End()).Line - t.fset.Position(fn.Pos()).Line + 1
	name := functionName(fn)
	if lines <= functionLinesMax || longFunctions[f.path+" "+name] != "" {
		return nil
	}
	return []Violation{{t.at(f, fn.Pos()), fmt.Sprintf(
		"%s has %d lines, at most %d: branch in the parent and compute in functions with names", name, lines, functionLinesMax)}}
}

// functionName is Name, or Type.Name for a method.
func functionName(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return fn.Name.Name
	}
	receiver := fn.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	if generic, ok := receiver.(*ast.IndexExpr); ok {
		receiver = generic.X
	}
	if ident, ok := receiver.(*ast.Ident); ok {
		return ident.Name + "." + fn.Name.Name
	}
	return fn.Name.Name
}
