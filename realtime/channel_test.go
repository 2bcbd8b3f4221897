package realtime_test

import (
	"strings"
	"testing"

	"github.com/bellwire/bellwire/realtime"
)

// The vectors of AU-20: what must be refused by the grammar, and what may pass but must stay distinct.

func TestCheckChannel(t *testing.T) {
	rows := []struct {
		rule string
		name string
		ok   bool
	}{
		{"NAM-1 one byte", "a", true},
		{"NAM-1 every letter, digit and sign", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./=@+~,", true},
		{"NAM-1 255 bytes", strings.Repeat("a", 255), true},
		{"NAM-1 256 bytes", strings.Repeat("a", 256), false},
		{"NAM-1 empty", "", false},
		{"NAM-1 two dots are only two bytes", "..", true},
		{"NAM-1 a path upwards is only a name", "../../etc/passwd", true},
		{"NAM-1 a slash", "/", true},
		{"NAM-1 leading dot", ".a", true},
		{"NAM-1 trailing dot", "a.", true},
		{"NAM-1 one dot", ".", true},
		{"NAM-1 per cent escapes", "%2e%2e", false},
		{"NAM-1 NUL", "a\x00b", false},
		{"NAM-1 CR LF", "a\r\nb", false},
		{"NAM-1 LF at the end", "a\n", false},
		{"NAM-1 tab", "a\tb", false},
		{"NAM-1 DEL", "a\x7fb", false},
		{"NAM-1 space", "a b", false},
		{"NAM-1 space alone", " ", false},
		{"NAM-1 star", "*", false},
		{"NAM-1 star at the end", "chat:*", false},
		{"NAM-1 star inside", "a*b", false},
		{"NAM-1 greater than", ">", false},
		{"NAM-1 greater than at the end", "a.>", false},
		{"NAM-1 question mark", "a?b", false},
		{"NAM-1 hash", "a#b", false},
		{"NAM-1 dollar", "$SYS", false},
		{"NAM-1 backslash", `a\b`, false},
		{"NAM-1 quote", `a"b`, false},
		{"NAM-1 apostrophe", "a'b", false},
		{"NAM-1 angle bracket", "<b>", false},
		{"NAM-1 braces", "{a}", false},
		{"NAM-1 semicolon", "a;b", false},
		{"NAM-1 ampersand", "a&b", false},
		{"NAM-1 bar", "a|b", false},
		{"NAM-1 invalid UTF-8", "a\xff", false},
		{"NAM-1 overlong slash", "\xc0\xaf", false},
		{"NAM-1 composed letter", "caf\u00e9", false},
		{"NAM-1 decomposed letter", "cafe\u0301", false},
		{"NAM-1 Cyrillic twin of a", "ch\u0430t", false},
		{"NAM-1 full-width twin of a", "ch\uff41t", false},
		{"NAM-1 right-to-left override", "a\u202eb", false},
		{"NAM-1 zero-width space", "a\u200bb", false},
		{"NAM-1 byte order mark", "\ufeffa", false},
		{"NAM-1 line separator", "a\u2028b", false},
		{"NAM-1 the server's prefix of users is free in channels", "~a", true},
		{"NAM-2 namespace and name", "chat:lobby", true},
		{"NAM-2 a second colon belongs to the name", "chat:a:b", true},
		{"NAM-2 colons alone after the namespace", "chat::", true},
		{"NAM-2 empty namespace", ":lobby", false},
		{"NAM-2 a colon alone", ":", false},
		{"NAM-2 nothing after the namespace", "chat:", false},
		{"NAM-2 namespace of 64 bytes", strings.Repeat("n", 64) + ":a", true},
		{"NAM-2 namespace of 65 bytes", strings.Repeat("n", 65) + ":a", false},
		{"NAM-2 namespace with an upper-case letter", "Chat:lobby", false},
		{"NAM-2 namespace with a dot", "a.b:c", false},
		{"NAM-2 namespace with a slash", "a/b:c", false},
		{"NAM-2 namespace with every sign it may have", "az09_-:A", true},
		{"NAM-2 255 bytes with a namespace", "n:" + strings.Repeat("a", 253), true},
		{"NAM-2 256 bytes with a namespace", "n:" + strings.Repeat("a", 254), false},
	}
	for _, row := range rows {
		t.Run(row.rule, func(t *testing.T) {
			err := realtime.CheckChannel(row.name)
			if (err == nil) != row.ok {
				t.Errorf("%q: %v, want ok %t", row.name, err, row.ok)
			}
			if err != nil && realtime.CodeOf(err) != realtime.CodeBadChannel {
				t.Errorf("%q: code %d", row.name, realtime.CodeOf(err))
			}
		})
	}
}

func TestCheckChannelByteByByte(t *testing.T) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./=@+~,"
	for c := range 256 {
		want := strings.IndexByte(alphabet, byte(c)) >= 0
		if got := realtime.CheckChannel("a"+string([]byte{byte(c)})+"a") == nil; got != want && c != ':' {
			t.Errorf("NAM-1: byte %#x allowed %t, want %t", c, got, want)
		}
		const inNamespace = "abcdefghijklmnopqrstuvwxyz0123456789_-"
		want = strings.IndexByte(inNamespace, byte(c)) >= 0 || c == ':'
		if got := realtime.CheckChannel("n"+string([]byte{byte(c)})+":a") == nil; got != want {
			t.Errorf("NAM-2: byte %#x in a namespace allowed %t, want %t", c, got, want)
		}
	}
}

// AU-20: names that differ in a byte are different, and a name that is allowed never works as a pattern.
func TestTwinsStayDistinct(t *testing.T) {
	for _, twins := range [][2]string{{"chat:a", "chat:A"}, {"a/b", "a//b"}, {"a", "a."}, {"a", "a/"}, {"a.b", "a/b"}, {"a", "./a"}} {
		if realtime.CheckChannel(twins[0]) != nil || realtime.CheckChannel(twins[1]) != nil {
			t.Errorf("%q: one is refused", twins)
		}
		if realtime.IsPattern(twins[0]) || realtime.IsPattern(twins[1]) {
			t.Errorf("%q: one is a pattern", twins)
		}
	}
}

func TestNamespaceOf(t *testing.T) {
	for name, want := range map[string]string{
		"lobby": "", "chat:lobby": "chat", "chat:a:b": "chat", "chat:*": "chat", "*": "", "ch*": "",
	} {
		if got := realtime.NamespaceOf(name); got != want {
			t.Errorf("NAM-2 %q: %q, want %q", name, got, want)
		}
	}
}

func TestCheckPattern(t *testing.T) {
	rows := []struct {
		rule    string
		pattern string
		ok      bool
	}{
		{"NAM-4 everything", "*", true},
		{"NAM-4 a namespace", "chat:*", true},
		{"NAM-4 a part of a namespace", "metrics:eu/*", true},
		{"NAM-4 a prefix that ends before the colon", "ch*", true},
		{"NAM-4 upper-case letters without a namespace", "Ab*", true},
		{"NAM-4 255 bytes", strings.Repeat("a", 254) + "*", true},
		{"NAM-4 256 bytes", strings.Repeat("a", 255) + "*", false},
		{"NAM-4 no star", "chat:", false},
		{"NAM-4 empty", "", false},
		{"NAM-4 a star inside", "a*b", false},
		{"NAM-4 a star at the beginning", "*a", false},
		{"NAM-4 two stars", "a**", false},
		{"NAM-4 two stars apart", "*a*", false},
		{"NAM-4 empty namespace", ":*", false},
		{"NAM-4 namespace with an upper-case letter", "Chat:*", false},
		{"NAM-4 namespace of 65 bytes", strings.Repeat("n", 65) + ":*", false},
		{"NAM-4 space", "a *", false},
		{"NAM-4 NUL", "a\x00*", false},
		{"NAM-4 greater than", ">*", false},
		{"NAM-4 invalid UTF-8", "\xff*", false},
		{"NAM-4 full-width star", "chat:\uff0a", false},
	}
	for _, row := range rows {
		t.Run(row.rule, func(t *testing.T) {
			if err := realtime.CheckPattern(row.pattern); (err == nil) != row.ok {
				t.Errorf("%q: %v, want ok %t", row.pattern, err, row.ok)
			}
		})
	}
}

func TestPatternMatches(t *testing.T) {
	rows := []struct {
		pattern, channel string
		want             bool
	}{
		{"*", "a", true}, {"chat:*", "chat:a", true}, {"chat:*", "chatty:a", false}, {"chat*", "chatty:a", true},
		{"chat:a*", "chat:a", true}, {"chat:a*", "chat:b", false}, {"chat:ab*", "chat:a", false}, {"chat:*", "Chat:a", false},
	}
	for _, row := range rows {
		if got := realtime.PatternMatches(row.pattern, row.channel); got != row.want {
			t.Errorf("NAM-4 %s on %s: %t", row.pattern, row.channel, got)
		}
	}
}

// A checked channel is never a pattern; a checked pattern matches only what begins with it; neither check panics.
func FuzzNames(f *testing.F) {
	for _, seed := range []string{"", "chat:lobby", "chat:*", "*", ":", "a\x00", "\xff", "n::", strings.Repeat("a", 256)} {
		f.Add(seed, "chat:lobby")
	}
	f.Fuzz(func(t *testing.T, name, channel string) {
		isChannel, isPattern := realtime.CheckChannel(name) == nil, realtime.CheckPattern(name) == nil
		switch {
		case isChannel && isPattern, isChannel && realtime.IsPattern(name), isPattern && !realtime.IsPattern(name):
			t.Fatalf("%q: channel %t, pattern %t", name, isChannel, isPattern)
		case isChannel && (len(name) > realtime.ChannelBytesMax || len(realtime.NamespaceOf(name)) > realtime.NamespaceBytesMax):
			t.Fatalf("%q is too long", name)
		case isPattern && realtime.PatternMatches(name, channel) != strings.HasPrefix(channel, strings.TrimSuffix(name, "*")):
			t.Fatalf("%q on %q", name, channel)
		}
	})
}
