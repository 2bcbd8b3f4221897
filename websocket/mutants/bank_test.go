package main

import (
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/mutation"
)

func TestMutantsApply(t *testing.T) { mutation.Check(t, "..", bank()) }

// TestMutantsOfEachClass wants a mutant for each class of fault that a WebSocket engine can have. VC-06 and VC-24 are
// of the server around it: what may come before login, and which hosts an admin page answers to; so is VC-25, the route past the login.
func TestMutantsOfEachClass(t *testing.T) {
	counts := make(map[string]int)
	for _, m := range bank() {
		counts[m.Class]++
	}
	for _, class := range strings.Fields(
		"VC-01 VC-02 VC-03 VC-04 VC-05 VC-07 VC-08 VC-09 VC-10 VC-11 VC-12 VC-13 VC-14 VC-20 VC-21 VC-22 VC-23") {
		if counts[class] == 0 {
			t.Errorf("no mutant of %s", class)
		}
	}
	if len(bank()) < 200 {
		t.Errorf("%d mutants", len(bank()))
	}
}
