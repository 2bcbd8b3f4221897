package main

import (
	"fmt"
	"slices"
	"strings"
)

// A mutant is one rule broken.
type mutant struct {
	class string // of the vulnerability catalogue, or the clause
	fault string // what is wrong afterwards
	file  string // from websocket/
	old   string // stands in the file once
	new   string
	tests string // packages that must notice, the nearest first, from websocket/; "." is the driver. A colon and a pattern: these tests of it
	race  bool   // it takes the race detector's build, which poisons memory that is given back
}

// bank returns all mutants, by where they are.
func bank() []mutant {
	return slices.Concat(frameMutants, endpointMutants, handshakeMutants, deflateMutants, driverMutants, reactorMutants)
}

// apply changes the text of the mutant's file.
func (m mutant) apply(source string) (string, error) {
	if n := strings.Count(source, m.old); n != 1 {
		return "", fmt.Errorf("%q stands %d times in %s, not once: renew the mutant", m.old, n, m.file)
	}
	return strings.Replace(source, m.old, m.new, 1), nil
}
