package config

import (
	"fmt"
	"strconv"
	"strings"
)

// Size is a number of bytes, written 512B, 64KiB, 1MiB or 2GiB, or as a plain number.
type Size int64

// The units of a Size.
const (
	KiB Size = 1 << 10
	MiB Size = 1 << 20
	GiB Size = 1 << 30
)

var sizeUnits = []struct {
	suffix string
	bytes  Size
}{{"GiB", GiB}, {"MiB", MiB}, {"KiB", KiB}, {"B", 1}}

// ParseSize reads what String writes, and plain numbers.
func ParseSize(text string) (Size, error) {
	digits, unit := strings.TrimSpace(text), Size(1)
	for _, u := range sizeUnits {
		if rest, found := strings.CutSuffix(digits, u.suffix); found {
			digits, unit = strings.TrimSpace(rest), u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || digits[0] == '+' {
		return 0, fmt.Errorf("%q is not a size; write it like 512B, 64KiB or 1MiB", text)
	}
	if size := Size(n) * unit; size/unit == Size(n) {
		return size, nil
	}
	return 0, fmt.Errorf("%q is too large for a size", text)
}

// UnmarshalText reads a size.
func (s *Size) UnmarshalText(text []byte) (err error) {
	*s, err = ParseSize(string(text))
	return err
}

// MarshalText writes the size as String does.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// String writes the size in the largest unit that fits exactly.
func (s Size) String() string {
	for _, u := range sizeUnits {
		if s != 0 && s%u.bytes == 0 {
			return strconv.FormatInt(int64(s/u.bytes), 10) + u.suffix
		}
	}
	return "0B"
}
