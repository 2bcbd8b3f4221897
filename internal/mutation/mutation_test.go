package mutation

import "testing"

func TestNoticed(t *testing.T) {
	for output, want := range map[string]string{
		"--- FAIL: TestA (0.00s)\n    --- FAIL: TestA/b (0.00s)\nFAIL": "TestA",
		"panic: test timed out after 2m0s":                             "hangs",
		"panic: index out of range":                                    "panics",
		"goroutines are left:\n":                                       "leaks",
		"exit status 2":                                                "fails",
	} {
		if got := noticed(output); got != want {
			t.Errorf("%q: %q, want %q", output, got, want)
		}
	}
}

func TestCheckWantsTextThatStandsOnce(t *testing.T) {
	for old, fine := range map[string]bool{
		"Text" + "ThatStands": true,
		"package mutation":    false, // it stands here too
		"\tno" + " such line": false,
	} {
		if err := check(".", Mutant{File: "mutation_test.go", Old: old, New: old}); (err == nil) != fine {
			t.Errorf("%q: %v", old, err)
		}
	}
	if err := check(".", Mutant{File: "mutation_test.go", Old: "import (\n", New: "import {\n"}); err == nil {
		t.Error("what is no Go passes")
	}
}

// The verdicts, on rules of this very package.
func TestVerdicts(t *testing.T) {
	directory, err := moduleDirectory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l := &laboratory{directory, "internal/mutation", t.TempDir()}
	rows := map[verdict]Mutant{
		killed:   {Old: `return "hangs"`, New: `return "hang"`},
		survived: {Old: `const testTimeout = 2 * time.Minute`, New: `const testTimeout = time.Minute`},
		broken:   {Old: `return "hangs"`, New: `return 1`},
	}
	for want, m := range rows {
		m.File, m.Tests = "laboratory.go", ".:TestNoticed"
		if got, by := l.test(t.Context(), m); got != want {
			t.Errorf("%s%s, want %s", got, by, want)
		}
	}
}
