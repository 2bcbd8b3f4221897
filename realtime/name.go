package realtime

import (
	"strings"
	"unicode/utf8"
)

// CheckUser returns nil when user may be the user of a token (NAM-5): not the server's own kind, which begins with "~".
func CheckUser(user string) error {
	if strings.HasPrefix(user, AnonymousPrefix) {
		return NewError(CodeBadRequest, "a user's name must not begin with ~")
	}
	return checkText("user", user, UserBytesMax)
}

// AnonymousPrefix begins the user of every anonymous connection; its connection id follows (NAM-5).
const AnonymousPrefix = "~"

// IsAnonymous reports whether user is that of a connection without a token.
func IsAnonymous(user string) bool { return strings.HasPrefix(user, AnonymousPrefix) }

// CheckKey returns nil when key may be a key of a channel's state (NAM-7).
func CheckKey(key string) error { return checkText("key", key, KeyBytesMax) }

// CheckPublicationID returns nil when id is empty or may be the id of a publication or an update (NAM-7).
func CheckPublicationID(id string) error {
	if len(id) > PublicationIDBytesMax {
		return NewError(CodeBadRequest, "id is longer than 64 bytes")
	}
	for i := 0; i < len(id); i++ {
		if !idByte(id[i]) {
			return NewError(CodeBadRequest, "id has a character other than A-Z a-z 0-9 _ -")
		}
	}
	return nil
}

func idByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}

func checkText(field, text string, bytesMax int) error {
	switch {
	case text == "":
		return NewError(CodeBadRequest, field+" is empty")
	case len(text) > bytesMax:
		return NewError(CodeBadRequest, field+" is longer than 255 bytes")
	case !utf8.ValidString(text):
		return NewError(CodeBadRequest, field+" is not valid UTF-8")
	}
	for _, r := range text {
		if isControl(r) {
			return NewError(CodeBadRequest, field+" has a control character")
		}
	}
	return nil
}

// isControl includes the two line separators that some protocols treat as line ends (VC-29).
func isControl(r rune) bool {
	return r < 0x20 || 0x7f <= r && r < 0xa0 || r == 0x2028 || r == 0x2029
}
