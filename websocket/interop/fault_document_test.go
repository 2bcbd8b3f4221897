package interop

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// faultRow is the beginning of a row of the catalogue of faults.
var faultRow = regexp.MustCompile(`^\| ([A-Z]{2}-\d\d) \|`)

// TestFaultsAreProven wants a row for every class of fault, in its order, with tests that exist.
func TestFaultsAreProven(t *testing.T) {
	var want, got []string
	for kind, last := range map[string]int{"VC": 25, "HS": 30, "FR": 24, "CP": 11, "FL": 15} {
		for n := range last {
			if kind != "VC" || n < 14 || n >= 19 { // what lies between is no business of a WebSocket
				want = append(want, fmt.Sprintf("%s-%02d", kind, n+1))
			}
		}
	}
	sources := make(map[string]string)
	for _, row := range strings.Split(document(t, "FAULTS.md"), "\n") {
		id := faultRow.FindStringSubmatch(row)
		if id == nil {
			continue
		}
		got = append(got, id[1])
		proofs := proof.FindAllStringSubmatch(row, -1)
		checkProofs(t, row, proofs, sources)
		over := driverOf(proofs)
		if over == "core" && slices.ContainsFunc(proofs, func(p []string) bool { return aroundTheEngine[p[1]] != "" }) {
			over = "server"
		}
		if !strings.Contains(row, " | "+over+" | ") {
			t.Errorf("its tests prove it over %s: %s", over, row)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("rows for %v, want %v", got, want)
	}
}
