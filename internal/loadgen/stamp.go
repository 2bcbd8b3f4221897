package loadgen

import (
	"bytes"
	"strconv"
)

// PayloadBytesMin is the size of the smallest payload: a stamp and nothing else.
const PayloadBytesMin = len(stampStart) + stampDigits + len(stampEnd)

// A payload is a JSON object that says when it was sent, in nanoseconds since the generator began, always in as many
// digits, and is filled up to its size.
const (
	stampStart  = `{"at":1`
	stampDigits = 18
	stampFill   = `,"fill":"`
	stampEnd    = `}`
)

// makePayload returns a payload of at least PayloadBytesMin bytes, and of size bytes where the fill fits.
func makePayload(size int) []byte {
	payload := append([]byte(stampStart), bytes.Repeat([]byte{'0'}, stampDigits)...)
	if fill := size - PayloadBytesMin - len(stampFill) - len(`"`); fill >= 0 {
		payload = append(payload, stampFill...)
		payload = append(payload, bytes.Repeat([]byte{'x'}, fill)...)
		payload = append(payload, '"')
	} else if spare := size - PayloadBytesMin; spare > 0 {
		// Too little for a member: more digits that say nothing, behind the decimal point.
		payload = append(payload, '.')
		payload = append(payload, bytes.Repeat([]byte{'1'}, max(1, spare-1))...)
	}
	return append(payload, stampEnd...)
}

// setStamp writes the time into a payload of makePayload.
func setStamp(payload []byte, at int64) {
	digits := payload[len(stampStart) : len(stampStart)+stampDigits]
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = byte('0' + at%10)
		at /= 10
	}
}

// stampOf reads it back; false when it is no payload of ours.
func stampOf(payload []byte) (at int64, ok bool) {
	if len(payload) < PayloadBytesMin || !bytes.HasPrefix(payload, []byte(stampStart)) {
		return 0, false
	}
	at, err := strconv.ParseInt(string(payload[len(stampStart):len(stampStart)+stampDigits]), 10, 64)
	return at, err == nil && at >= 0
}
