package failure

import (
	"net/netip"
	"sync"
	"time"
)

const (
	window     = time.Minute // also how long an address is blocked
	entriesMax = 10_000      // addresses remembered
	prefixLen  = 64          // an IPv6 subscriber has at least that many bits of addresses
)

// Counter counts the failures of each address.
type Counter struct {
	perMinute int
	now       func() time.Time

	mu sync.Mutex
	// Guarded by mu.
	entries map[netip.Addr]*record // at most entriesMax
	swept   time.Time              // when all were looked at
}

type record struct {
	began   time.Time // of the window in which count is counted
	count   int
	blocked time.Time // until then; zero: not
}

// New returns a Counter that blocks an address after so many failures in a minute, for a minute.
func New(perMinute int, now func() time.Time) *Counter {
	return &Counter{perMinute: perMinute, now: now, entries: make(map[netip.Addr]*record)}
}

// Blocked says for how long an address is still refused.
func (f *Counter) Blocked(address netip.Addr) (time.Duration, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	entry := f.entries[subscriberOf(address)]
	if entry == nil {
		return 0, false
	}
	wait := entry.blocked.Sub(f.now())
	return wait, wait > 0
}

// Add counts a failure.
func (f *Counter) Add(address netip.Addr) {
	f.mu.Lock()
	defer f.mu.Unlock()
	key, now := subscriberOf(address), f.now()
	entry := f.entries[key]
	if entry == nil {
		f.makeRoomLocked(now)
		entry = &record{began: now}
		f.entries[key] = entry
	}
	if now.Sub(entry.began) >= window {
		entry.began, entry.count = now, 0
	}
	if entry.count++; entry.count >= f.perMinute {
		entry.blocked = now.Add(window)
	}
}

// makeRoomLocked forgets what is over, at most once a second since that looks at everything, and when that is not enough
// any one: whoever has so many addresses is not stopped by remembering them.
func (f *Counter) makeRoomLocked(now time.Time) {
	if len(f.entries) < entriesMax {
		return
	}
	if now.Sub(f.swept) >= time.Second {
		f.swept = now
		for address, entry := range f.entries {
			if now.Sub(entry.began) >= window && !entry.blocked.After(now) {
				delete(f.entries, address)
			}
		}
	}
	for address := range f.entries {
		if len(f.entries) < entriesMax {
			return
		}
		delete(f.entries, address)
	}
}

func subscriberOf(address netip.Addr) netip.Addr {
	if !address.Is6() {
		return address
	}
	prefix, err := address.WithZone("").Prefix(prefixLen)
	if err != nil {
		return address
	}
	return prefix.Addr()
}
