package session

import (
	"testing"
	"time"
)

func TestBucket(t *testing.T) { // section 13
	var b bucket
	take := func(at time.Duration, want bool) {
		t.Helper()
		if got := b.take(at, 20*time.Millisecond, 3); got != want {
			t.Fatalf("at %v: %t", at, got)
		}
	}
	for range 3 {
		take(time.Second, true)
	}
	take(time.Second, false)
	take(time.Second+20*time.Millisecond-1, false)
	take(time.Second+20*time.Millisecond, true)
	take(time.Second+20*time.Millisecond, false)
	for range 3 { // what is not used does not pile up
		take(time.Hour, true)
	}
	take(time.Hour, false)
}

func TestTwentyErrorsInTenSecondsAreTheMost(t *testing.T) { // CON-7
	var f faults
	for n := range 20 {
		if f.add(time.Duration(n) * time.Millisecond) {
			t.Fatalf("error %d floods", n+1)
		}
	}
	if f.add(10 * time.Second) {
		t.Fatal("the first is ten seconds old")
	}
	if !f.add(10 * time.Second) {
		t.Fatal("the second is not")
	}
}

func TestAThousandRateLimitedAreTheMost(t *testing.T) { // CON-7
	var f faults
	for n := range 1000 {
		if f.addRateLimited(time.Second) {
			t.Fatalf("number %d floods", n+1)
		}
	}
	if f.addRateLimited(11*time.Second) || !func() bool {
		for range 999 {
			f.addRateLimited(12 * time.Second)
		}
		return f.addRateLimited(12 * time.Second)
	}() {
		t.Fatal("they are not counted anew every ten seconds")
	}
}
