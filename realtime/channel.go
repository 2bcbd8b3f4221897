package realtime

import "strings"

// Limits of names, in bytes (NAM-1, NAM-2, NAM-5, NAM-7).
const (
	ChannelBytesMax       = 255
	NamespaceBytesMax     = 64
	UserBytesMax          = 255
	KeyBytesMax           = 255
	PublicationIDBytesMax = 64
)

// CheckChannel returns nil when name is a channel (NAM-1, NAM-2), and otherwise an *Error with CodeBadChannel.
func CheckChannel(name string) error {
	if name == "" {
		return NewError(CodeBadChannel, "the channel's name is empty")
	}
	if len(name) > ChannelBytesMax {
		return NewError(CodeBadChannel, "the channel's name is longer than 255 bytes")
	}
	for i := 0; i < len(name); i++ {
		if !channelByte[name[i]] {
			return NewError(CodeBadChannel, "the channel's name has a character other than A-Z a-z 0-9 _ - . / = @ + ~ , :")
		}
	}
	return checkNamespacePart(name)
}

func checkNamespacePart(name string) error {
	colon := strings.IndexByte(name, ':')
	if colon < 0 {
		return nil
	}
	if colon == 0 || colon > NamespaceBytesMax {
		return NewError(CodeBadChannel, "the namespace is empty or longer than 64 bytes")
	}
	for i := 0; i < colon; i++ {
		if !namespaceByte[name[i]] {
			return NewError(CodeBadChannel, "the namespace has a character other than a-z 0-9 _ -")
		}
	}
	if colon == len(name)-1 {
		return NewError(CodeBadChannel, "nothing stands after the namespace")
	}
	return nil
}

// NamespaceOf returns what stands before the first colon of a channel or pattern, and "" when there is none (NAM-2).
func NamespaceOf(name string) string {
	namespace, _, found := strings.Cut(name, ":")
	if !found {
		return ""
	}
	return namespace
}

// IsPattern reports whether name is meant as a pattern rather than a channel: it has a star (NAM-4).
func IsPattern(name string) bool { return strings.IndexByte(name, '*') >= 0 }

// CheckPattern returns nil when name is a pattern (NAM-4): a prefix of a channel, then one star, which is last.
func CheckPattern(name string) error {
	star := strings.IndexByte(name, '*')
	if star < 0 || star != len(name)-1 || len(name) > ChannelBytesMax {
		return NewError(CodeBadChannel, "a pattern is a prefix of a channel with one * at its end")
	}
	prefix := name[:star]
	for i := 0; i < len(prefix); i++ {
		if !channelByte[prefix[i]] {
			return NewError(CodeBadChannel, "the pattern has a character other than A-Z a-z 0-9 _ - . / = @ + ~ , :")
		}
	}
	if strings.IndexByte(prefix, ':') >= 0 {
		return checkNamespacePart(prefix + "x")
	}
	return nil
}

// PatternMatches reports whether a checked pattern matches a checked channel.
func PatternMatches(pattern, channel string) bool {
	return strings.HasPrefix(channel, pattern[:len(pattern)-1])
}

// channelByte and namespaceByte are the alphabets of NAM-1 and NAM-2.
var (
	namespaceByte = alphabet("abcdefghijklmnopqrstuvwxyz0123456789_-")
	channelByte   = alphabet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./=@+~,:")
)

func alphabet(letters string) (has [256]bool) {
	for i := 0; i < len(letters); i++ {
		has[letters[i]] = true
	}
	return has
}
