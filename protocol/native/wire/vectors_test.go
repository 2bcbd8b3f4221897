package wire

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"testing"

	"github.com/bellwire/bellwire/realtime"
)

type vector struct {
	Name      string
	Clauses   []string
	Direction string
	JSON      json.RawMessage
	ProtoHex  string `json:"proto_hex"`

	Input string
	Error struct {
		Code    realtime.Code
		ID      uint32
		Command string
	}
}

func vectors(t testing.TB, file string) []vector {
	t.Helper()
	b, err := os.ReadFile("../../../spec/vectors/messages/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var vs []vector
	if err := json.Unmarshal(b, &vs); err != nil {
		t.Fatal(err)
	}
	if len(vs) < 40 {
		t.Fatalf("%s has only %d vectors", file, len(vs))
	}
	return vs
}

func (v *vector) proto(t testing.TB) []byte {
	t.Helper()
	b, err := hex.DecodeString(v.ProtoHex)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func wantBytes(t *testing.T, what string, got []byte, err error, want []byte) {
	t.Helper()
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is\n%q, want\n%q (%v)", what, got, want, err)
	}
}

func TestClientVectors(t *testing.T) {
	descriptor, _ := schema(t)
	for _, v := range vectors(t, "client.json") {
		t.Run(v.Name, func(t *testing.T) {
			framed := v.proto(t)
			throughOracle(t, descriptor, framed)
			m := oneClient(t, JSON, v.JSON)
			if other := oneClient(t, Proto, framed); !reflect.DeepEqual(m, other) {
				t.Errorf("json says %+v, proto %+v", m.Command, other.Command)
			}
			line, err := AppendClient(nil, JSON, &m)
			wantBytes(t, "json", line, err, append(v.JSON, '\n'))
			b, err := AppendClient(nil, Proto, &m)
			wantBytes(t, "proto", b, err, framed)
		})
	}
}

func TestServerVectors(t *testing.T) {
	_, descriptor := schema(t)
	for _, v := range vectors(t, "server.json") {
		t.Run(v.Name, func(t *testing.T) {
			framed := v.proto(t)
			throughOracle(t, descriptor, framed)
			m := oneServer(t, JSON, v.JSON)
			if other := oneServer(t, Proto, framed); !reflect.DeepEqual(m, other) {
				t.Errorf("json says %+v, proto %+v", m.Body, other.Body)
			}
			line, err := AppendServer(nil, JSON, &m)
			wantBytes(t, "json", line, err, append(v.JSON, '\n'))
			b, err := AppendServer(nil, Proto, &m)
			wantBytes(t, "proto", b, err, framed)
		})
	}
}

func TestInvalidVectors(t *testing.T) {
	for _, v := range vectors(t, "invalid.json") {
		t.Run(v.Name, func(t *testing.T) {
			m, err := DecodeClient(JSON, []byte(v.Input)).Next()
			if v.Error.Code == realtime.CodeBadProtocol {
				if !errors.Is(err, ErrMalformed) {
					t.Fatalf("got %+v, %v, want ErrMalformed", m.Command, err)
				}
				return
			}
			var r *Refusal
			if !errors.As(err, &r) {
				t.Fatalf("got %+v, %v, want a refusal", m.Command, err)
			}
			if r.Err.Code != v.Error.Code || r.ID != v.Error.ID || r.Command != v.Error.Command {
				t.Fatalf("refused with %d, id %d, %q (%s), want %+v", r.Err.Code, r.ID, r.Command, r.Err.Message, v.Error)
			}
		})
	}
}

// TestPrefixes: every prefix of valid bytes is a message, a refusal or malformed, never a panic, and never another message
// (CON-6).
func TestPrefixes(t *testing.T) {
	for _, v := range append(vectors(t, "client.json"), vectors(t, "server.json")...) {
		for f, whole := range map[Format][]byte{JSON: v.JSON, Proto: v.proto(t)} {
			for n := range whole {
				prefix := bytes.Clone(whole[:n])
				if v.Direction == "client" {
					if m, err := DecodeClient(f, prefix).Next(); err == nil {
						t.Fatalf("%s: %d bytes of %s are %+v", v.Name, n, f, m.Command)
					}
				} else if m, err := DecodeServer(f, prefix).Next(); err == nil {
					t.Fatalf("%s: %d bytes of %s are %+v", v.Name, n, f, m.Body)
				}
			}
		}
	}
}
