package session

import "time"

// bucket is a token bucket in one number: the instant at which it will be full.
type bucket struct{ full time.Duration }

// take takes one token, which comes back after interval; at most burst are there.
func (b *bucket) take(now, interval time.Duration, burst int) bool {
	full := max(b.full, now)
	if full-now > interval*time.Duration(burst-1) {
		return false
	}
	b.full = full + interval
	return true
}

// Limits of CON-7.
const (
	errorsMax      = 20
	rateLimitedMax = 1000
	errorsWindow   = 10 * time.Second
	refreshGrace   = 25 * time.Second // REF-2
)

// faults counts the error replies of a session (CON-7). It exists from the first error on.
type faults struct {
	at   [errorsMax]time.Duration // of the latest, around; next is the oldest
	next int
	size int

	rateLimited      int
	rateLimitedSince time.Duration
}

// add counts an error reply and reports whether it is one too many.
func (f *faults) add(now time.Duration) (flooding bool) {
	if f.size == errorsMax && now-f.at[f.next] < errorsWindow {
		return true
	}
	f.at[f.next] = now
	f.next = (f.next + 1) % errorsMax
	f.size = min(f.size+1, errorsMax)
	return false
}

// addRateLimited is add for rate_limited, counted anew every ten seconds.
func (f *faults) addRateLimited(now time.Duration) (flooding bool) {
	if f.rateLimited == 0 || now-f.rateLimitedSince >= errorsWindow {
		f.rateLimited, f.rateLimitedSince = 0, now
	}
	f.rateLimited++
	return f.rateLimited > rateLimitedMax
}
