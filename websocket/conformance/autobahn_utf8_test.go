package conformance_test

import (
	"fmt"
	"strings"

	"github.com/bellwire/bellwire/websocket/frame"
	ws "github.com/bellwire/bellwire/websocket/websockettest"
)

// greek is the word that many cases use; its characters end at 2, 5, 7, 9, 11.
const greek = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"

// encodeAny writes a number in the form of that many bytes that UTF-8 would have
// for it, whether or not there is such a character.
func encodeAny(value uint32, size int) string {
	if size == 1 {
		return string([]byte{byte(value)})
	}
	b := make([]byte, size)
	for i := size - 1; i > 0; i-- {
		b[i] = 0x80 | byte(value&0x3f)
		value >>= 6
	}
	b[0] = byte(0xff<<(8-size)) | byte(value)
	return string(b)
}

// utf8Cases are section 6.
func utf8Cases() (cases []conversation) {
	cases = append(cases, fragmentedTextCases()...)
	cases = append(cases, failFastCases()...)
	add := func(group string, valid func(i int, s string) bool, texts ...string) {
		for i, s := range texts {
			id := fmt.Sprintf("6.%s.%d", group, i+1)
			if valid(i, s) {
				cases = append(cases, echoed(id, text(s)))
			} else {
				cases = append(cases, conversation{id, []step{say(text(s))}, fails(1007)})
			}
		}
	}
	good := func(int, string) bool { return true }
	bad := func(int, string) bool { return false }

	add("5", good, "Latin $ word", "Latin ¢ word", "Latin € word", "Latin \U00024B62 word", greek)
	var prefixes []string
	for n := range len(greek) {
		prefixes = append(prefixes, greek[:n+1])
	}
	add("6", func(_ int, s string) bool { return strings.Contains("2 5 7 9 11", fmt.Sprint(len(s))) && len(s) != 1 }, prefixes...)
	add("7", good, "\x00", "\u0080", "\u0800", "\U00010000")
	add("8", bad, encodeAny(0x200000, 5), encodeAny(0x4000000, 6))
	add("9", good, "\u007F", "\u07FF", "\uFFFF", "\U0010FFFF")
	add("10", bad, encodeAny(0x1FFFFF, 4), encodeAny(0x3FFFFFF, 5), encodeAny(0x7FFFFFFF, 6))
	add("11", func(i int, _ string) bool { return i < 4 }, "\uD7FF", "\uE000", "\uFFFD", "\U0010FFFF", encodeAny(0x110000, 4))
	add("12", bad, continuations()...)
	add("13", bad, leads()...)
	zeros, largest := cutForms()
	add("14", bad, append(zeros, largest...)...)
	add("15", bad, strings.Join(append(zeros, largest...), ""))
	add("16", bad, "\xFE", "\xFF", "\xFE\xFE\xFF\xFF")
	add("17", bad, overlong(func(int) uint32 { return '/' })...)
	add("18", bad, overlong(func(size int) uint32 { return []uint32{0x7F, 0x7FF, 0xFFFF, 0x1FFFFF, 0x3FFFFFF}[size-2] })...)
	add("19", bad, overlong(func(int) uint32 { return 0 })...)
	add("20", bad, surrogates(0xD800, 0xDB7F, 0xDB80, 0xDBFF, 0xDC00, 0xDF80, 0xDFFF)...)
	var pairs []string
	for _, high := range surrogates(0xD800, 0xDB7F, 0xDB80, 0xDBFF) {
		for _, low := range surrogates(0xDC00, 0xDFFF) {
			pairs = append(pairs, high+low)
		}
	}
	add("21", bad, pairs...)
	var ends []string
	for plane := rune(0); plane <= 16; plane++ {
		ends = append(ends, string(plane<<16|0xFFFE), string(plane<<16|0xFFFF))
	}
	add("22", good, ends...)
	add("23", good, "\uFFF9", "\uFFFA", "\uFFFB", "\uFFFC", "\uFFFD", "\uFFFE", "\uFFFF")
	return cases
}

// octets sends text in frames of one byte.
func octets(s string) []ws.Frame { return fragments(text(s), 1) }

func fragmentedTextCases() []conversation {
	const mixed = "Hello-µ@ßöäüàá-UTF-8!!"
	const surrogate = greek + "\xed\xa0\x80" + "edited"
	cut := strings.Index(mixed, "ö")
	return []conversation{
		echoed("6.1.1", text("")),
		{"6.1.2", []step{say(begin(frame.Text, ""), goOn(""), finish("")), hear(text(""))}, normal},
		{"6.1.3", []step{say(begin(frame.Text, ""), goOn("middle frame payload"), finish("")), hear(text("middle frame payload"))}, normal},
		echoed("6.2.1", text(mixed)),
		{"6.2.2", []step{say(begin(frame.Text, mixed[:cut]), finish(mixed[cut:])), hear(text(mixed))}, normal},
		{"6.2.3", []step{say(octets(mixed)...), hear(text(mixed))}, normal},
		{"6.2.4", []step{say(octets(greek)...), hear(text(greek))}, normal},
		{"6.3.1", []step{say(text(surrogate))}, fails(1007)},
		{"6.3.2", []step{say(octets(surrogate)...)}, fails(1007)},
	}
}

// failFastCases want the failure at the first impossible byte: what would
// follow is never sent, and the frame or message never ends.
func failFastCases() []conversation {
	const bad = "\xf4\x90\x80\x80" // 0x110000
	first := begin(frame.Text, greek)
	whole := text(greek + bad + "edited")
	wire := func(n int) step { // the first n bytes of the payload of whole
		return step{send: []ws.Frame{{Fin: true, Opcode: frame.Text, Payload: whole.Payload}}, chop: -n}
	}
	return []conversation{
		{"6.4.1", []step{say(first), say(goOn(bad))}, fails(1007)},
		{"6.4.2", []step{say(begin(frame.Text, greek+bad[:1])), say(goOn(bad[1:2]))}, fails(1007)},
		{"6.4.3", []step{wire(len(greek + bad))}, fails(1007)},
		{"6.4.4", []step{wire(len(greek) + 2)}, fails(1007)},
	}
}

func continuations() []string {
	texts := []string{"\x80", "\xbf", "\x80\xbf", "\x80\xbf\x80", "\x80\xbf\x80\xbf", "\x80\xbf\x80\xbf\x80", "\x80\xbf\x80\xbf\x80\xbf"}
	var row []byte
	for c := byte(0x80); c < 0xbf; c++ {
		row = append(row, c)
	}
	return append(texts, string(row))
}

// leads are the lead bytes of each length but the last, each before a space.
func leads() (texts []string) {
	for _, r := range [][2]byte{{0xc0, 0xdf}, {0xe0, 0xef}, {0xf0, 0xf7}, {0xf8, 0xfb}, {0xfc, 0xfd}} {
		var s []byte
		for c := r[0]; c < r[1]; c++ {
			s = append(s, c, ' ')
		}
		texts = append(texts, string(s))
	}
	return texts
}

// cutForms are the forms of 2 to 6 bytes of zero and of their largest number,
// without their last byte.
func cutForms() (zeros, largest []string) {
	top := []uint32{0x7FF, 0xFFFF, 0x1FFFFF, 0x3FFFFFF, 0x7FFFFFFF}
	for size := 2; size <= 6; size++ {
		zeros = append(zeros, encodeAny(0, size)[:size-1])
		largest = append(largest, encodeAny(top[size-2], size)[:size-1])
	}
	return zeros, largest
}

// overlong are the forms of 2 to 6 bytes of numbers that need fewer.
func overlong(value func(size int) uint32) (texts []string) {
	for size := 2; size <= 6; size++ {
		texts = append(texts, encodeAny(value(size), size))
	}
	return texts
}

func surrogates(values ...uint32) (texts []string) {
	for _, v := range values {
		texts = append(texts, encodeAny(v, 3))
	}
	return texts
}
