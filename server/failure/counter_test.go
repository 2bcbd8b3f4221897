package failure

import (
	"net/netip"
	"testing"
	"time"
)

// manual is a clock that the test moves.
type manual struct{ now time.Time }

func (m *manual) read() time.Time { return m.now }

// VC-47: so many wrong keys in a minute block an address for a minute; others are not touched.
func TestVC47WrongKeysBlockAnAddressForAMinute(t *testing.T) {
	clock := &manual{time.Unix(1_790_000_000, 0)}
	f := New(3, clock.read)
	guilty, other := netip.MustParseAddr("203.0.113.7"), netip.MustParseAddr("203.0.113.8")
	f.Add(guilty)
	f.Add(guilty)
	if _, blocked := f.Blocked(guilty); blocked {
		t.Error("blocked after two")
	}
	f.Add(guilty)
	wait, blocked := f.Blocked(guilty)
	if !blocked || wait != time.Minute {
		t.Errorf("after three: %v %v", wait, blocked)
	}
	if _, blocked := f.Blocked(other); blocked {
		t.Error("another address is blocked")
	}
	clock.now = clock.now.Add(time.Minute)
	if _, blocked := f.Blocked(guilty); blocked {
		t.Error("blocked after a minute")
	}
	f.Add(guilty)
	f.Add(guilty)
	clock.now = clock.now.Add(time.Minute)
	f.Add(guilty)
	if _, blocked := f.Blocked(guilty); blocked {
		t.Error("failures of another minute count")
	}
}

func TestAnIPv6SubscriberIsOneAddress(t *testing.T) {
	clock := &manual{time.Unix(1_790_000_000, 0)}
	f := New(2, clock.read)
	f.Add(netip.MustParseAddr("2001:db8::1"))
	f.Add(netip.MustParseAddr("2001:db8::2"))
	if _, blocked := f.Blocked(netip.MustParseAddr("2001:db8::3")); !blocked {
		t.Error("another address of the same /64 goes on")
	}
	if _, blocked := f.Blocked(netip.MustParseAddr("2001:db8:0:1::1")); blocked {
		t.Error("another /64 is blocked")
	}
}

func TestTheMemoryOfFailuresIsBounded(t *testing.T) {
	clock := &manual{time.Unix(1_790_000_000, 0)}
	f := New(1, clock.read)
	for i := range 3 * entriesMax {
		f.Add(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}))
	}
	if len(f.entries) > entriesMax {
		t.Errorf("%d addresses", len(f.entries))
	}
	clock.now = clock.now.Add(2 * time.Minute)
	f.Add(netip.MustParseAddr("203.0.113.7"))
	if len(f.entries) != 1 {
		t.Errorf("%d addresses after all were over", len(f.entries))
	}
}
