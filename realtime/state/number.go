package state

import (
	"math"
	"strconv"

	"github.com/bellwire/bellwire/realtime"
)

// parseNumber reads a payload as an IEEE 754 double (STA-4). ok is false for what is not a JSON number, and for one that
// is too large to be finite.
func parseNumber(p realtime.Payload) (number float64, ok bool) {
	if p.Encoding != realtime.EncodingJSON || !isNumber(p.Bytes) {
		return 0, false
	}
	number, err := strconv.ParseFloat(string(p.Bytes), 64)
	return number, err == nil && !math.IsInf(number, 0)
}

// isNumber checks the grammar of RFC 8259 section 6: strconv takes more than it allows.
func isNumber(b []byte) bool {
	b = trimOne(b, '-')
	integer := digits(b)
	if integer == 0 || integer > 1 && b[0] == '0' {
		return false
	}
	b = b[integer:]
	if len(b) > 0 && b[0] == '.' {
		fraction := digits(b[1:])
		if fraction == 0 {
			return false
		}
		b = b[1+fraction:]
	}
	if len(b) > 0 && (b[0] == 'e' || b[0] == 'E') {
		b = b[1:]
		if len(b) > 0 && (b[0] == '+' || b[0] == '-') {
			b = b[1:]
		}
		exponent := digits(b)
		return exponent > 0 && exponent == len(b)
	}
	return len(b) == 0
}

func trimOne(b []byte, c byte) []byte {
	if len(b) > 0 && b[0] == c {
		return b[1:]
	}
	return b
}

func digits(b []byte) int {
	n := 0
	for n < len(b) && '0' <= b[n] && b[n] <= '9' {
		n++
	}
	return n
}

// appendNumber writes the shortest form that reads back as the same double, as ECMAScript does (7.1.12.1): plain digits
// for what people call integers, an exponent only for what is very large or very small.
func appendNumber(dst []byte, number float64) []byte {
	if number == 0 {
		return append(dst, '0') // also for -0
	}
	if size := math.Abs(number); 1e-6 <= size && size < 1e21 {
		return strconv.AppendFloat(dst, number, 'f', -1, 64)
	}
	dst = strconv.AppendFloat(dst, number, 'e', -1, 64)
	// Go writes at least two digits of exponent: 1e-07.
	if n := len(dst); n >= 3 && dst[n-2] == '0' && (dst[n-3] == '-' || dst[n-3] == '+') {
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst
}
