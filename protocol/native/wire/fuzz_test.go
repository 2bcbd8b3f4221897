package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
)

func addVectors(f *testing.F, file string) {
	for _, v := range vectors(f, file) {
		f.Add([]byte(v.JSON))
		f.Add(v.proto(f))
	}
}

// checkClient: what is accepted in one framing says the same in both, and a refusal names a code.
func checkClient(t *testing.T, format Format, input []byte) {
	d := DecodeClient(format, input)
	for {
		m, err := d.Next()
		var r *Refusal
		switch {
		case errors.As(err, &r):
			if r.Err.Code != 100 && r.Err.Code != 101 || r.Err.Message == "" {
				t.Fatalf("%q is refused with %v", input, r.Err)
			}
			continue
		case err == io.EOF || errors.Is(err, ErrMalformed):
			return
		case err != nil:
			t.Fatalf("%q: %v", input, err)
		}
		for _, f := range []Format{JSON, Proto} {
			b, err := AppendClient(nil, f, &m)
			if err != nil && f == JSON && strings.Contains(err.Error(), "enter") {
				continue // bytes to enter with have no JSON form
			}
			if err != nil {
				t.Fatalf("%q: %v", input, err)
			}
			if again := oneClient(t, f, b); !reflect.DeepEqual(again, m) {
				t.Fatalf("%q: %s gives %+v, want %+v", input, f, again.Command, m.Command)
			}
		}
	}
}

func FuzzClientJSON(f *testing.F) { // CON-6, MSG-5
	addVectors(f, "client.json")
	for _, v := range vectors(f, "invalid.json") {
		f.Add([]byte(v.Input))
	}
	f.Fuzz(func(t *testing.T, input []byte) { checkClient(t, JSON, input) })
}

func FuzzClientProto(f *testing.F) { // CON-6, MSG-5
	addVectors(f, "client.json")
	f.Fuzz(func(t *testing.T, input []byte) { checkClient(t, Proto, input) })
}

// FuzzServer: a client reads anything without a panic, and what it has read it can write and read again.
func FuzzServer(f *testing.F) { // MSG-6
	addVectors(f, "server.json")
	f.Fuzz(func(t *testing.T, input []byte) {
		for _, format := range []Format{JSON, Proto} {
			d := DecodeServer(format, input)
			for m, err := d.Next(); err == nil; m, err = d.Next() {
				if m.Body == nil {
					continue
				}
				b, err := AppendServer(nil, Proto, &m)
				if err != nil {
					t.Fatal(err)
				}
				if again := oneServer(t, Proto, b); reflect.TypeOf(again.Body) != reflect.TypeOf(m.Body) || again.ID != m.ID {
					t.Fatalf("%q: %+v became %+v", input, m.Body, again.Body)
				}
			}
		}
	})
}

// FuzzCompactJSON compares with the standard library.
func FuzzCompactJSON(f *testing.F) { // MSG-8
	for _, v := range vectors(f, "client.json") {
		f.Add([]byte(v.JSON))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		got, err := CompactJSON(input)
		if err != nil {
			return // stricter than the standard library
		}
		var want bytes.Buffer
		if err := json.Compact(&want, input); err != nil {
			t.Fatalf("%q was taken for JSON: %v", input, err)
		}
		if !bytes.Equal(got, want.Bytes()) {
			t.Fatalf("%q became %q, want %q", input, got, want.Bytes())
		}
	})
}
