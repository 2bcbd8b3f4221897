package main

import (
	"testing"

	"github.com/bellwire/bellwire/internal/leak"
	"github.com/bellwire/bellwire/internal/mutation"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestMutantsApply(t *testing.T) { mutation.Check(t, "..", bank()) }

// A bank has mutants of each thing that must never become of a publication.
func TestMutantsOfEachClass(t *testing.T) {
	counts := make(map[string]int)
	for _, m := range bank() {
		counts[m.Class]++
	}
	for _, class := range []string{"lost", "doubled", "reordered", "misdirected", "unbounded"} {
		if counts[class] == 0 {
			t.Errorf("no publication is %s", class)
		}
	}
}
