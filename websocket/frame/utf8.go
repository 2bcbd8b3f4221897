package frame

import "unicode/utf8"

// UTF8 checks text that arrives in pieces. The zero value is at the start of a
// text. It fails at the first byte that cannot go on, not at the end of a
// character, so that a peer hears of bad text at once (RFC 6455 8.1).
type UTF8 struct {
	missing byte // bytes the character begun needs still
	low     byte // bounds of the next byte, while missing > 0
	high    byte
}

// Complete reports whether the text could end here.
func (u *UTF8) Complete() bool { return u.missing == 0 }

// Next takes the next piece and reports whether the text is valid so far. After
// false the value is of no further use.
func (u *UTF8) Next(b []byte) bool {
	for u.missing > 0 && len(b) > 0 {
		if !u.step(b[0]) {
			return false
		}
		b = b[1:]
	}
	whole := len(b) - partial(b)
	if !utf8.Valid(b[:whole]) {
		return false
	}
	for _, c := range b[whole:] {
		if !u.step(c) {
			return false
		}
	}
	return true
}

// partial returns how many bytes at the end of b are the beginning of a
// character that goes on after it.
func partial(b []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		switch c := b[len(b)-n]; {
		case c < 0x80:
			return 0
		case c >= 0xC0:
			if sequenceBytes(c) > n {
				return n
			}
			return 0
		}
	}
	return 0
}

// sequenceBytes returns the length of a character by its lead byte; 1 for bytes
// that lead none, which the validation then refuses.
func sequenceBytes(lead byte) int {
	switch {
	case lead >= 0xF0 && lead <= 0xF4:
		return 4
	case lead >= 0xE0 && lead < 0xF0:
		return 3
	case lead >= 0xC2 && lead < 0xE0:
		return 2
	}
	return 1
}

// step takes one byte of a character of several.
func (u *UTF8) step(c byte) bool {
	if u.missing > 0 {
		if c < u.low || c > u.high {
			return false
		}
		u.missing--
		u.low, u.high = 0x80, 0xBF
		return true
	}
	u.missing = byte(sequenceBytes(c) - 1)
	u.low, u.high = 0x80, 0xBF
	// RFC 3629 4: the second byte is narrower after four of the leads.
	switch c {
	case 0xE0:
		u.low = 0xA0 // overlong
	case 0xED:
		u.high = 0x9F // surrogates
	case 0xF0:
		u.low = 0x90 // overlong
	case 0xF4:
		u.high = 0x8F // above U+10FFFF
	}
	return u.missing > 0
}
