package client

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"time"
)

func TestClockCountsSleep(t *testing.T) {
	const s = time.Second
	var c clock
	rows := []struct {
		rule       string
		mono, wall time.Duration
		now        int64
		woke       bool
	}{
		{"both clocks go alike", 10 * s, 10 * s, 10_000, false},
		{"a wall clock that drifts is no sleep", 20 * s, 24 * s, 20_000, false},
		{"CLI-9: the machine slept an hour", 21 * s, 3625 * s, 3_621_000, true},
		{"time goes on from there", 31 * s, 3635 * s, 3_631_000, false},
		{"a wall clock set back is no sleep, and time does not go back", 32 * s, 35 * s, 3_632_000, false},
		{"and counts from where it is now", 33 * s, 36 * s, 3_633_000, false},
		{"CLI-9: a short sleep", 34 * s, 42 * s, 3_639_000, true},
	}
	for _, row := range rows {
		if now, woke := c.read(row.mono, row.wall); now != row.now || woke != row.woke {
			t.Errorf("%s: %d %t, want %d %t", row.rule, now, woke, row.now, row.woke)
		}
	}
}

func TestGroupStaysBelowTheServersLimit(t *testing.T) {
	rows := []struct {
		rule    string
		pending string
		lengths []int
		want    []string
	}{
		{"nothing", "", nil, nil},
		{"what fits goes together", "aabbb", []int{2, 3}, []string{"aabbb"}},
		{"CON-8: what does not is cut between messages", "aabbbb", []int{2, 4}, []string{"aa", "bbbb"}},
		{"CON-3: one that is too large alone goes alone", "aabbbbbbbc", []int{2, 7, 1}, []string{"aa", "bbbbbbb", "c"}},
		{"parts are filled", "abcdefg", []int{1, 1, 1, 1, 1, 1, 1}, []string{"abcde", "fg"}},
	}
	for _, row := range rows {
		var got []string
		for _, part := range group([]byte(row.pending), row.lengths, 5) {
			got = append(got, string(part))
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: %q, want %q", row.rule, got, row.want)
		}
	}
}

func TestPayload(t *testing.T) {
	type order struct {
		Sku int `json:"sku"`
	}
	rows := []struct {
		rule string
		data any
		want string // with j or b before it
	}{
		{"text is a JSON string", "a\"b", `j"a\"b"`},
		{"a value is JSON", order{7}, `j{"sku":7}`},
		{"nothing is JSON null", nil, `jnull`},
		{"MSG-8: bytes stay bytes", []byte("{}"), `b{}`},
		{"no bytes are bytes", []byte(nil), `b`},
		{"MSG-8: raw JSON is made compact", json.RawMessage("{ \"a\" : 1 }"), `j{"a":1}`},
	}
	for _, row := range rows {
		got, err := Payload(row.data)
		if err != nil || !bytes.Equal(append([]byte{" jb"[got.Encoding]}, got.Bytes...), []byte(row.want)) {
			t.Errorf("%s: %d %s, %v", row.rule, got.Encoding, got.Bytes, err)
		}
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	rows := []struct {
		rule    string
		address string
		options *Options
	}{
		{"no scheme", "127.0.0.1:8000", nil},
		{"another scheme", "ftp://127.0.0.1/ws", nil},
		{"no host", "ws:///ws", nil},
		{"RFC 6455 3: a fragment", "ws://127.0.0.1/ws#a", nil},
		{"a bad fallback", "ws://127.0.0.1/ws", &Options{Fallbacks: []string{"x"}}},
		{"CNT-1: a name of 65 bytes", "ws://127.0.0.1/ws", &Options{Name: string(make([]byte, 65))}},
	}
	for _, row := range rows {
		if _, err := New(row.address, row.options); err == nil {
			t.Errorf("%s: taken", row.rule)
		}
	}
}
