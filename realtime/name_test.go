package realtime_test

import (
	"strings"
	"testing"

	"github.com/bellwire/bellwire/realtime"
)

// textRows hold for users and for keys alike.
var textRows = []struct {
	rule string
	text string
	ok   bool
}{
	{"one byte", "a", true},
	{"empty", "", false},
	{"255 bytes", strings.Repeat("a", 255), true},
	{"256 bytes", strings.Repeat("a", 256), false},
	{"255 bytes of three-byte letters", strings.Repeat("\u20ac", 85), true},
	{"258 bytes of three-byte letters", strings.Repeat("\u20ac", 86), false},
	{"letters of any script", "Grüße\u4f60\u597d\U0001F600", true},
	{"space", "a b", true},
	{"colon, slash, star and signs", `a:b/c*d"e<f>`, true},
	{"invalid UTF-8", "a\xff", false},
	{"a surrogate", "\xed\xa0\x80", false},
	{"an overlong form", "\xc0\x80", false},
	{"NUL", "a\x00", false},
	{"LF", "a\n", false},
	{"CR", "\ra", false},
	{"escape", "\x1b[31m", false},
	{"unit separator", "\x1f", false},
	{"DEL", "a\x7f", false},
	{"first of the C1 controls", "\u0080", false},
	{"next line", "a\u0085b", false},
	{"last of the C1 controls", "\u009f", false},
	{"the letter after the C1 controls", "\u00a0", true},
	{"line separator", "\u2028", false},
	{"paragraph separator", "\u2029", false},
}

func TestCheckUser(t *testing.T) {
	for _, row := range textRows {
		checkText(t, "NAM-5 "+row.rule, realtime.CheckUser(row.text), row.ok)
	}
	checkText(t, "NAM-5 the server's names", realtime.CheckUser("~"), false)
	checkText(t, "NAM-5 a name of the server", realtime.CheckUser("~c1"), false)
	checkText(t, "NAM-5 a tilde later", realtime.CheckUser("a~"), true)
	if !realtime.IsAnonymous("~c1") || realtime.IsAnonymous("alice") || realtime.IsAnonymous("") {
		t.Error("NAM-5 only names with a tilde at their beginning are anonymous")
	}
}

func TestCheckKey(t *testing.T) {
	for _, row := range textRows {
		checkText(t, "NAM-7 "+row.rule, realtime.CheckKey(row.text), row.ok)
	}
	checkText(t, "NAM-7 a key may begin with a tilde", realtime.CheckKey("~c1"), true)
}

func checkText(t *testing.T, rule string, err error, ok bool) {
	t.Helper()
	if (err == nil) != ok {
		t.Errorf("%s: %v, want ok %t", rule, err, ok)
	}
	if err != nil && realtime.CodeOf(err) != realtime.CodeBadRequest {
		t.Errorf("%s: code %d", rule, realtime.CodeOf(err))
	}
}

func TestCheckPublicationID(t *testing.T) {
	for c := range 256 {
		want := strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", byte(c)) >= 0
		if got := realtime.CheckPublicationID("a"+string([]byte{byte(c)})) == nil; got != want {
			t.Errorf("NAM-7 byte %#x allowed %t, want %t", c, got, want)
		}
	}
	checkText(t, "NAM-7 no id", realtime.CheckPublicationID(""), true)
	checkText(t, "NAM-7 64 bytes", realtime.CheckPublicationID(strings.Repeat("a", 64)), true)
	checkText(t, "NAM-7 65 bytes (AP-11)", realtime.CheckPublicationID(strings.Repeat("a", 65)), false)
}
