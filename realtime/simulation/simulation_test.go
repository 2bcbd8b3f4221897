package simulation

import (
	"os"
	"strconv"
	"testing"
)

// seeds of one go test; BELLWIRE_SEED replays one of them, or any other.
const seeds, steps = 12, 20_000

func TestSystemsUnderFaults(t *testing.T) { // SUB-2, SUB-4, SUB-5, SUB-6, POS-5, POS-6, POS-7, PRE-2, PRE-4, CLI-4, CLI-10; I1 to I16
	first, count := uint64(1), uint64(seeds)
	if s := os.Getenv("BELLWIRE_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		first, count = n, 1
	}
	met := map[string]int{}
	for seed := first; seed < first+count; seed++ {
		report, err := Run(Options{Seed: seed, Steps: steps})
		if err != nil {
			t.Fatalf("%v\nreplay with BELLWIRE_SEED=%d", err, seed)
		}
		for what, n := range report.Met {
			met[what] += n
		}
		if report.Published < 1000 || report.Delivered < 1000 || report.Lines < 10 || len(report.Met) < 8 {
			t.Errorf("seed %d met too little to say anything: %+v", seed, report)
		}
	}
	t.Logf("%d seeds from %d: %v", count, first, met)
	if count < seeds {
		return
	}
	for _, what := range []string{
		"restart", "cut", "half-open", "slow reader", "refuse", "late close", "duplicate connect", "network switch", "coalesce", "pass",
		"split", "recovered", "missed", "duplicate", "no pong", "reread", "unsubscribed 351", "disconnected 4502",
	} {
		if met[what] == 0 {
			t.Errorf("no run met %q", what)
		}
	}
}

func TestTheSameSeedIsTheSameRun(t *testing.T) { // I18
	a, err := Run(Options{Seed: 99, Steps: 5000})
	if err != nil {
		t.Fatal(err)
	}
	b, err := Run(Options{Seed: 99, Steps: 5000})
	if err != nil {
		t.Fatal(err)
	}
	if a.Hash != b.Hash {
		t.Fatalf("hash %x, then %x", a.Hash, b.Hash)
	}
}
