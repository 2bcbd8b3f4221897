package loadgen

import (
	"encoding/json"
	"testing"
)

func TestPayloads(t *testing.T) {
	for _, test := range []struct {
		rule string
		size int
		want string
	}{
		{"the smallest", 26, `{"at":1000000000000000042}`},
		{"below the smallest", 0, `{"at":1000000000000000042}`},
		{"too small for a fill", 30, `{"at":1000000000000000042.111}`},
		{"a fill of nothing", 36, `{"at":1000000000000000042,"fill":""}`},
		{"a fill", 40, `{"at":1000000000000000042,"fill":"xxxx"}`},
	} {
		payload := makePayload(test.size)
		setStamp(payload, 42)
		if string(payload) != test.want {
			t.Errorf("%s: %s, want %s", test.rule, payload, test.want)
		}
	}
}

func TestPayloadsOfEverySizeAreJSONAndKeepTheirStamp(t *testing.T) {
	for size := PayloadBytesMin; size < 300; size++ {
		payload := makePayload(size)
		setStamp(payload, 123_456_789_012_345_678)
		if len(payload) != size && size != PayloadBytesMin+1 {
			t.Errorf("%d bytes became %d", size, len(payload))
		}
		if !json.Valid(payload) {
			t.Errorf("not JSON: %s", payload)
		}
		if at, ok := stampOf(payload); !ok || at != 123_456_789_012_345_678 {
			t.Errorf("%s: read back as %d, %v", payload, at, ok)
		}
	}
}

func TestWhatIsNoStamp(t *testing.T) {
	payload := makePayload(26)
	for end := range payload {
		if _, ok := stampOf(payload[:end]); ok {
			t.Errorf("a stamp was read from %q", payload[:end])
		}
	}
	for _, text := range []string{`{"at":1-00000000000000001}`, `{"at":2000000000000000001}`, `{"at":1abcdefabcdefabcdef}`, `"just some other payload"...`} {
		if _, ok := stampOf([]byte(text)); ok {
			t.Errorf("a stamp was read from %q", text)
		}
	}
}
