package api

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// linesOf is what a lineBuffer cuts from input that comes in pieces of these sizes, again and again.
func linesOf(t *testing.T, limit int, input []byte, sizes []byte) []string {
	t.Helper()
	b := lineBuffer{limit: limit}
	var got []string
	add := func(line []byte, long bool) {
		if long {
			got = append(got, "long")
			return
		}
		got = append(got, "="+string(line))
	}
	for i := 0; len(input) > 0; i++ {
		space := b.space()
		if len(space) == 0 {
			t.Fatal("no space")
		}
		if most := max(limit+1, lineBytesKept+1); len(b.buffer) > most {
			t.Fatalf("a buffer of %d bytes for lines of %d", len(b.buffer), limit)
		}
		size := 1
		if len(sizes) > 0 {
			size = max(1, int(sizes[i%len(sizes)])<<8)
		}
		n := copy(space[:min(len(space), size)], input)
		input = input[n:]
		b.fill(n)
		for line, long, ok := b.next(); ok; line, long, ok = b.next() {
			add(line, long)
		}
	}
	for line, long, ok := b.last(); ok; line, long, ok = b.last() {
		add(line, long)
	}
	return got
}

// oracle cuts the input at once.
func oracle(limit int, input []byte) []string {
	var want []string
	lines := bytes.Split(input, []byte("\n"))
	if len(lines[len(lines)-1]) == 0 {
		lines = lines[:len(lines)-1]
	}
	for _, line := range lines {
		if len(line) > limit {
			want = append(want, "long")
			continue
		}
		want = append(want, "="+string(line))
	}
	return want
}

func TestALineBufferCutsLines(t *testing.T) {
	tests := []struct {
		rule, input string
		want        []string
	}{
		{"nothing", "", nil},
		{"an empty line", "\n", []string{"="}},
		{"the last line feed may be missing", "a\nb", []string{"=a", "=b"}},
		{"CR is no line feed", "a\r\n", []string{"=a\r"}},
		{"of the limit", "12345678\n", []string{"=12345678"}},
		{"longer", "123456789\n", []string{"long"}},
		{"longer, and one after it", "123456789\nb\n", []string{"long", "=b"}},
		{"longer at the end", "a\n123456789", []string{"=a", "long"}},
		{"much longer", strings.Repeat("x", 5*lineBytesKept) + "\nb", []string{"long", "=b"}},
	}
	for _, test := range tests {
		for _, sizes := range [][]byte{nil, {1}, {255, 0, 3}} {
			if got := linesOf(t, 8, []byte(test.input), sizes); !slices.Equal(got, test.want) {
				t.Errorf("%s: %q, want %q", test.rule, got, test.want)
			}
		}
	}
}

// Lines far longer than the buffer that is kept, and short ones after them.
func TestALineBufferGrowsAndShrinks(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var input []byte
	for i := range 200 {
		length := random.IntN(64)
		if i%10 == 0 {
			length = random.IntN(10 * lineBytesKept)
		}
		input = append(append(input, bytes.Repeat([]byte{byte('a' + i%26)}, length)...), '\n')
	}
	const limit = 6 * lineBytesKept
	want := oracle(limit, input)
	for _, sizes := range [][]byte{{1}, {255}, {7, 200, 16, 0, 64}} {
		if got := linesOf(t, limit, input, sizes); !slices.Equal(got, want) {
			t.Errorf("in pieces of %v they differ", sizes)
		}
	}
}

func FuzzLineBuffer(f *testing.F) {
	f.Add([]byte("{}\n\n{\"a\":1}\r\nlast"), []byte{0, 1}, uint16(8))
	f.Add(bytes.Repeat([]byte("x"), 2*lineBytesKept), []byte{3}, uint16(lineBytesKept))
	f.Fuzz(func(t *testing.T, input, sizes []byte, limit uint16) {
		got, want := linesOf(t, int(limit), input, sizes), oracle(int(limit), input)
		if !slices.Equal(got, want) {
			t.Errorf("limit %d: %s, want %s", limit, fmt.Sprintf("%.200q", got), fmt.Sprintf("%.200q", want))
		}
	})
}
