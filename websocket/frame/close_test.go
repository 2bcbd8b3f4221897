package frame

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

// sendable is the model of RFC 6455 7.4 and the IANA registry.
var sendable = func() (codes [1 << 16]bool) {
	for _, r := range [][2]int{{1000, 1003}, {1007, 1014}, {3000, 4999}} {
		for code := r[0]; code <= r[1]; code++ {
			codes[code] = true
		}
	}
	return codes
}()

// G2: every code, without a reason, with a good and with a bad one.
func TestEveryStatus(t *testing.T) {
	for code := range 1 << 16 {
		for _, reason := range []string{"", "bye", "\xff"} {
			payload := append([]byte{byte(code >> 8), byte(code)}, reason...)
			status, got, violation := DecodeClose(payload)
			var want *Violation
			switch {
			case !sendable[code]:
				want = ErrCloseStatus
			case !utf8.ValidString(reason):
				want = ErrCloseReason
			}
			if violation != want {
				t.Fatalf("code %d, reason %q: got %v, want %v", code, reason, violation, want)
			}
			if want == nil && (int(status) != code || string(got) != reason) {
				t.Fatalf("code %d, reason %q: got %d, %q", code, reason, status, got)
			}
			if want == nil && !bytes.Equal(AppendClose(nil, status, reason), payload) {
				t.Fatalf("code %d, reason %q: does not round-trip", code, reason)
			}
		}
	}
}

func TestClosePayload(t *testing.T) {
	if status, reason, v := DecodeClose(nil); status != StatusNone || reason != nil || v != nil {
		t.Errorf("empty payload: got %d, %q, %v", status, reason, v)
	}
	if _, _, v := DecodeClose([]byte{0x03}); v != ErrCloseSize {
		t.Errorf("payload of one byte: got %v", v)
	}
	if got := AppendClose(nil, StatusNone, "unused"); len(got) != 0 {
		t.Errorf("no status: got % X", got)
	}
}

func TestCutReason(t *testing.T) {
	for _, row := range []struct{ reason, want string }{
		{"", ""},
		{strings.Repeat("a", 123), strings.Repeat("a", 123)},
		{strings.Repeat("a", 124), strings.Repeat("a", 123)},
		{strings.Repeat("a", 122) + "é", strings.Repeat("a", 122)},
		{strings.Repeat("a", 121) + "€", strings.Repeat("a", 121)},
		{strings.Repeat("€", 42), strings.Repeat("€", 41)},
	} {
		if got := CutReason(row.reason); got != row.want {
			t.Errorf("%q: got %q", row.reason, got)
		}
		if got := AppendClose(nil, StatusNormal, row.reason); len(got) > ControlBytesMax {
			t.Errorf("%q: payload of %d bytes", row.reason, len(got))
		}
	}
}

func FuzzClose(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0x03})
	f.Add([]byte("\x03\xe8bye"))
	f.Add([]byte("\x03\xedbye"))
	f.Add([]byte("\x0f\xa0\xff"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		status, reason, violation := DecodeClose(payload)
		valid := len(payload) == 0 ||
			len(payload) >= 2 && sendable[int(payload[0])<<8|int(payload[1])] && utf8.Valid(payload[2:])
		if (violation == nil) != valid {
			t.Fatalf("got %v, want valid %v", violation, valid)
		}
		if valid && len(payload) <= ControlBytesMax && !bytes.Equal(AppendClose(nil, status, string(reason)), payload) {
			t.Fatal("does not round-trip")
		}
	})
}
