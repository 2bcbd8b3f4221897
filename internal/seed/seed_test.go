package seed

import "testing"

func TestTheVariableSetsWhatIsDrawn(t *testing.T) {
	t.Setenv(Variable, "7")
	if a, b := Rand(t).Uint64(), Rand(t).Uint64(); a != b {
		t.Errorf("%d, then %d", a, b)
	}
	t.Setenv(Variable, "")
	if a, b := Rand(t).Uint64(), Rand(t).Uint64(); a == b {
		t.Errorf("%d twice without a seed", a)
	}
}
