package mutation

import (
	"fmt"
	"strings"
)

// A Mutant is one rule broken. Files and packages are named from the root of the bank.
type Mutant struct {
	Class string // of fault, or the clause
	Fault string // what is wrong afterwards
	File  string
	Old   string // stands in the file once
	New   string
	Tests string // packages that must notice, the nearest first; "." is the root. A colon and a pattern: these tests of it
	Race  bool   // it takes the race detector
}

// apply changes the text of the mutant's file.
func (m Mutant) apply(source string) (string, error) {
	if n := strings.Count(source, m.Old); n != 1 {
		return "", fmt.Errorf("%q stands %d times in %s, not once: renew the mutant", m.Old, n, m.File)
	}
	return strings.Replace(source, m.Old, m.New, 1), nil
}
