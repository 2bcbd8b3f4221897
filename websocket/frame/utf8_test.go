package frame

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// viable is the oracle: whether a text can begin with b, and whether it can
// end there.
func viable(b []byte) (begins, ends bool) {
	for len(b) > 0 {
		if r, size := utf8.DecodeRune(b); r == utf8.RuneError && size == 1 {
			return !utf8.FullRune(b), false
		} else {
			b = b[size:]
		}
	}
	return true, true
}

// G2: all three-byte strings in every cut, against the standard library. Under
// the race detector, which has nothing to find here, only some of them.
func TestEveryThreeBytes(t *testing.T) {
	const shards = 8
	for shard := range shards {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for n := shard; n < 1<<24; n += shards * threeByteStep {
				checkThreeBytes(t, byte(n>>16), byte(n>>8), byte(n))
			}
		})
	}
}

func checkThreeBytes(t *testing.T, b ...byte) {
	begins, ends := viable(b)
	for _, cut := range [][2]int{{0, 0}, {1, 1}, {2, 2}, {1, 2}} {
		var u UTF8
		ok := u.Next(b[:cut[0]]) && u.Next(b[cut[0]:cut[1]]) && u.Next(b[cut[1]:])
		if ok != begins || ok && u.Complete() != ends {
			t.Fatalf("% X cut at %v: valid %v, complete %v; want %v, %v", b, cut, ok, u.Complete(), begins, ends)
		}
	}
}

// The four-byte strings that matter: every lead of four with every second byte,
// and the borders of the bytes after them.
func TestFourBytes(t *testing.T) {
	borders := []byte{0x00, 0x20, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xE0, 0xED, 0xF0, 0xF4, 0xF5, 0xFF}
	for lead := 0xF0; lead <= 0xFF; lead++ {
		for second := range 256 {
			for _, third := range borders {
				for _, fourth := range borders {
					checkUTF8(t, []byte{byte(lead), byte(second), third, fourth})
				}
			}
		}
	}
}

// checkUTF8 holds every cut of b, and b byte by byte, against the oracle: bad
// text fails at its first impossible byte.
func checkUTF8(t *testing.T, b []byte) {
	t.Helper()
	begins, ends := viable(b)
	for cut := 0; cut <= len(b); cut++ {
		var u UTF8
		ok := u.Next(b[:cut]) && u.Next(b[cut:])
		if ok != begins || ok && u.Complete() != ends {
			t.Fatalf("% X cut at %d: valid %v, want %v", b, cut, ok, begins)
		}
	}
	var u UTF8
	for i := range b {
		want, _ := viable(b[:i+1])
		if got := u.Next(b[i : i+1]); got != want {
			t.Fatalf("% X: valid %v after %d bytes, want %v", b, got, i+1, want)
		} else if !got {
			return
		}
	}
}

// FR-13: the kinds of malformed text, behind text of many lengths.
func TestMalformedText(t *testing.T) {
	rows := map[string]string{
		"overlong of 2":        "\xC0\xAF",
		"overlong of 3":        "\xE0\x80\xAF",
		"overlong of 4":        "\xF0\x80\x80\xAF",
		"first surrogate":      "\xED\xA0\x80",
		"last surrogate":       "\xED\xBF\xBF",
		"surrogate pair":       "\xED\xA0\x80\xED\xB0\x80",
		"above U+10FFFF":       "\xF4\x90\x80\x80",
		"continuation alone":   "\x80",
		"lead of 5":            "\xF8\x88\x80\x80\x80",
		"lead of 6":            "\xFC\x84\x80\x80\x80\x80",
		"FE and FF":            "\xFE\xFF",
		"lead before ASCII":    "\xE2\x28\xA1",
		"lead before a lead":   "\xE2\xE2\x82\xAC",
		"valid: euro sign":     "\xE2\x82\xAC",
		"valid: largest":       "\xF4\x8F\xBF\xBF",
		"valid: byte order":    "\xEF\xBB\xBF",
		"valid: NUL":           "\x00",
		"valid: not character": "\xEF\xBF\xBF",
	}
	for name, text := range rows {
		for _, before := range []int{0, 1, 2, 3, 4, 7, 8, 63, 64, 65} {
			for _, after := range []string{"", "x", "é"} {
				b := []byte(strings.Repeat("a", before) + text + after)
				checkUTF8(t, b)
				if valid := strings.HasPrefix(name, "valid"); utf8.Valid(b) != valid {
					t.Fatalf("row %q is wrong itself", name)
				}
			}
		}
	}
}

func FuzzUTF8(f *testing.F) {
	f.Add([]byte("κόσμε"), 3)
	f.Add([]byte("\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x90\x80\x80edited"), 12)
	f.Add([]byte("\xed\xa0\x80"), 1)
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		if len(b) > 0 {
			cut = max(0, cut) % len(b)
		} else {
			cut = 0
		}
		begins, ends := viable(b)
		var u UTF8
		ok := u.Next(b[:cut]) && u.Next(b[cut:])
		if ok != begins || ok && u.Complete() != ends {
			t.Fatalf("cut at %d: valid %v, want %v", cut, ok, begins)
		}
	})
}

func BenchmarkUTF8(b *testing.B) {
	for name, text := range map[string]string{
		"ascii": strings.Repeat("bellwire ", 455),
		"greek": strings.Repeat("κόσμε ", 372),
	} {
		b.Run(name, func(b *testing.B) {
			payload := []byte(text)
			b.SetBytes(int64(len(payload)))
			for b.Loop() {
				var u UTF8
				u.Next(payload)
			}
		})
	}
}
