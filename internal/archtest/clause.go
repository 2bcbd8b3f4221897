package archtest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const (
	specification = "spec/PROTOCOL.md"
	vectors       = "spec/vectors"
)

var (
	clauseDefined = regexp.MustCompile(`(?m)^- \*\*([A-Z]+-[0-9]+)\*\*`)
	clauseCited   = regexp.MustCompile(`\b[A-Z]+-[0-9]+\b`)
)

// clauses of the specification. Immutable after readClauses.
type clauses struct {
	ids      []string        // in the order of the document
	known    map[string]bool // ids as a set
	families map[string]bool // what stands before the number
}

func readClauses(t *Tree) (*clauses, []Violation) {
	c := &clauses{known: make(map[string]bool), families: make(map[string]bool)}
	var found []Violation
	for _, f := range t.texts {
		if f.path != specification {
			continue
		}
		for _, match := range clauseDefined.FindAllStringSubmatch(string(f.text), -1) {
			id := match[1]
			if c.known[id] {
				found = append(found, Violation{specification, id + " is defined twice: give the second the next free number"})
			}
			c.ids = append(c.ids, id)
			c.known[id] = true
			c.families[family(id)] = true
		}
	}
	if len(c.ids) == 0 {
		found = append(found, Violation{specification, "defines no clause: a clause is a list item that begins with its id in bold, `- **SUB-4** …`"})
	}
	return c, found
}

// isTextTest holds for tests in TypeScript and for the vectors, which all implementations run.
func isTextTest(path string) bool {
	return strings.HasSuffix(path, ".test.ts") || matches(vectors+"/...", path) && strings.HasSuffix(path, ".json")
}

// family of SUB-4 is SUB. Other words of that shape, such as UTF-8, are in no family of the specification.
func family(id string) string {
	name, _, _ := strings.Cut(id, "-")
	return name
}

// CheckClauses wants every clause cited by a test, and every citation to name a clause that exists.
func CheckClauses(t *Tree) []Violation {
	c, found := readClauses(t)
	tested := make(map[string]bool)
	look := func(path string, text []byte, isTest bool) {
		for i, line := range strings.Split(string(text), "\n") {
			for _, id := range clauseCited.FindAllString(line, -1) {
				switch {
				case c.known[id]:
					tested[id] = tested[id] || isTest
				case c.families[family(id)]:
					found = append(found, Violation{fmt.Sprintf("%s:%d", path, i+1), id + " is cited but not defined in " + specification})
				}
			}
		}
	}
	for _, f := range t.goes {
		look(f.path, f.text, f.test)
	}
	for _, f := range t.texts {
		look(f.path, f.text, isTextTest(f.path))
	}
	for _, id := range c.ids {
		if !tested[id] {
			found = append(found, Violation{specification, id + " is cited by no test: write one that would fail if the clause were broken, and name the clause in it"})
		}
	}
	slices.SortStableFunc(found, func(a, b Violation) int { return strings.Compare(a.Where, b.Where) })
	return found
}
