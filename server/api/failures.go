package api

import (
	"net/netip"
	"sync"
	"time"
)

const (
	failureWindow    = time.Minute // also how long an address is blocked
	failureEntries   = 10_000      // addresses remembered
	failurePrefixLen = 64          // an IPv6 subscriber has at least that many bits of addresses
)

// failures counts wrong keys of each address.
type failures struct {
	perMinute int
	now       func() time.Time

	mu sync.Mutex
	// Guarded by mu.
	entries map[netip.Addr]*failureEntry // at most failureEntries
	swept   time.Time                    // when all were looked at
}

type failureEntry struct {
	began   time.Time // of the window in which count is counted
	count   int
	blocked time.Time // until then; zero: not
}

func newFailures(perMinute int, now func() time.Time) *failures {
	return &failures{perMinute: perMinute, now: now, entries: make(map[netip.Addr]*failureEntry)}
}

// blocked says for how long an address is still refused.
func (f *failures) blocked(address netip.Addr) (time.Duration, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	entry := f.entries[subscriberOf(address)]
	if entry == nil {
		return 0, false
	}
	wait := entry.blocked.Sub(f.now())
	return wait, wait > 0
}

// add counts a wrong key.
func (f *failures) add(address netip.Addr) {
	f.mu.Lock()
	defer f.mu.Unlock()
	key, now := subscriberOf(address), f.now()
	entry := f.entries[key]
	if entry == nil {
		f.makeRoomLocked(now)
		entry = &failureEntry{began: now}
		f.entries[key] = entry
	}
	if now.Sub(entry.began) >= failureWindow {
		entry.began, entry.count = now, 0
	}
	if entry.count++; entry.count >= f.perMinute {
		entry.blocked = now.Add(failureWindow)
	}
}

// makeRoomLocked forgets what is over, at most once a second since that looks at everything, and when that is not enough
// any one: whoever has so many addresses is not stopped by remembering them.
func (f *failures) makeRoomLocked(now time.Time) {
	if len(f.entries) < failureEntries {
		return
	}
	if now.Sub(f.swept) >= time.Second {
		f.swept = now
		for address, entry := range f.entries {
			if now.Sub(entry.began) >= failureWindow && !entry.blocked.After(now) {
				delete(f.entries, address)
			}
		}
	}
	for address := range f.entries {
		if len(f.entries) < failureEntries {
			return
		}
		delete(f.entries, address)
	}
}

func subscriberOf(address netip.Addr) netip.Addr {
	if !address.Is6() {
		return address
	}
	prefix, err := address.WithZone("").Prefix(failurePrefixLen)
	if err != nil {
		return address
	}
	return prefix.Addr()
}
