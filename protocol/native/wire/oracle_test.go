package wire

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"reflect"
	"testing"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

// The schema itself is the oracle of the protobuf framing, and of the names of the JSON one.

func schema(t testing.TB) (client, server protoreflect.MessageDescriptor) {
	t.Helper()
	source, err := os.ReadFile("../../../spec/bellwire.proto")
	if err != nil {
		t.Fatal(err)
	}
	compiler := protocompile.Compiler{Resolver: &protocompile.SourceResolver{
		Accessor: protocompile.SourceAccessorFromMap(map[string]string{"bellwire.proto": string(source)}),
	}}
	files, err := compiler.Compile(t.Context(), "bellwire.proto")
	if err != nil {
		t.Fatal(err)
	}
	messages := files[0].Messages()
	return messages.ByName("ClientMessage"), messages.ByName("ServerMessage")
}

// throughOracle reads one framed protobuf message with the schema and returns what the schema's own writer makes of it.
func throughOracle(t *testing.T, descriptor protoreflect.MessageDescriptor, framed []byte) []byte {
	t.Helper()
	one, rest, err := cut(Proto, framed)
	if err != nil || len(rest) != 0 {
		t.Fatalf("framing: %v, %d bytes left", err, len(rest))
	}
	m := dynamicpb.NewMessage(descriptor)
	if err := proto.Unmarshal(one, m); err != nil {
		t.Fatalf("the schema cannot read %x: %v", one, err)
	}
	checkKnown(t, m)
	again, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return protowire.AppendBytes(nil, again)
}

func checkKnown(t *testing.T, m protoreflect.Message) {
	t.Helper()
	if len(m.GetUnknown()) > 0 {
		t.Fatalf("%s has fields that the schema does not know: %x", m.Descriptor().Name(), m.GetUnknown())
	}
	m.Range(func(field protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case field.Message() == nil:
		case field.IsList():
			for i := range v.List().Len() {
				checkKnown(t, v.List().Get(i).Message())
			}
		default:
			checkKnown(t, v.Message())
		}
		return true
	})
}

// checkNames finds every JSON name in the schema, apart from those that stand for a payload (MSG-8) and the reply's
// presence (section 6).
func checkNames(t *testing.T, descriptor protoreflect.MessageDescriptor, value map[string]any, id bool) {
	t.Helper()
	for name, v := range value {
		schemaName := map[string]string{"data": "payload", "data64": "payload", "value64": "value"}[name]
		if schemaName == "" {
			schemaName = name
		}
		if name == "presence" && id && descriptor.Name() == "ServerMessage" {
			schemaName = "presence_page"
		}
		field := descriptor.Fields().ByName(protoreflect.Name(schemaName))
		if field == nil {
			t.Fatalf("%s has no %s", descriptor.Name(), schemaName)
		}
		if field.Message() == nil || field.Message().Name() == "Payload" {
			continue
		}
		if object, ok := v.(map[string]any); ok {
			checkNames(t, field.Message(), object, false)
		}
		if items, ok := v.([]any); ok {
			for _, item := range items {
				checkNames(t, field.Message(), item.(map[string]any), false)
			}
		}
	}
}

func checkJSONNames(t *testing.T, descriptor protoreflect.MessageDescriptor, line []byte) {
	t.Helper()
	var value map[string]any
	if err := json.Unmarshal(line, &value); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	checkNames(t, descriptor, value, value["id"] != nil)
}

func oneClient(t testing.TB, f Format, b []byte) ClientMessage {
	t.Helper()
	d := DecodeClient(f, b)
	m, err := d.Next()
	if err != nil {
		t.Fatalf("%s %q: %v", f, b, err)
	}
	if _, err := d.Next(); !errors.Is(err, io.EOF) {
		t.Fatalf("%s %q: a second message: %v", f, b, err)
	}
	return m
}

func oneServer(t testing.TB, f Format, b []byte) ServerMessage {
	t.Helper()
	d := DecodeServer(f, b)
	m, err := d.Next()
	if err != nil {
		t.Fatalf("%s %q: %v", f, b, err)
	}
	if _, err := d.Next(); !errors.Is(err, io.EOF) {
		t.Fatalf("%s %q: a second message: %v", f, b, err)
	}
	return m
}

func TestClientMessagesComeThroughBothFramingsAndTheSchema(t *testing.T) { // CON-2, CON-3, MSG-7, MSG-8
	descriptor, _ := schema(t)
	for seed := range uint64(3000) {
		m := newRandom(seed).client()
		line, err := AppendClient(nil, JSON, &m)
		if err != nil {
			t.Fatal(err)
		}
		if got := oneClient(t, JSON, line); !reflect.DeepEqual(got, m) {
			t.Fatalf("seed %d: json gives %+v, want %+v", seed, got.Command, m.Command)
		}
		checkJSONNames(t, descriptor, line)
		framed, err := AppendClient(nil, Proto, &m)
		if err != nil {
			t.Fatal(err)
		}
		for _, bytes := range [][]byte{framed, throughOracle(t, descriptor, framed)} {
			if got := oneClient(t, Proto, bytes); !reflect.DeepEqual(got, m) {
				t.Fatalf("seed %d: proto gives %+v, want %+v", seed, got.Command, m.Command)
			}
		}
	}
}

func TestServerMessagesComeThroughBothFramingsAndTheSchema(t *testing.T) { // CON-2, CON-3, MSG-6, MSG-7, MSG-8, SRV-8
	_, descriptor := schema(t)
	for seed := range uint64(3000) {
		m := newRandom(seed).server()
		line, err := AppendServer(nil, JSON, &m)
		if err != nil {
			t.Fatal(err)
		}
		if got := oneServer(t, JSON, line); !reflect.DeepEqual(got, m) {
			t.Fatalf("seed %d: json gives %+v, want %+v (%s)", seed, got.Body, m.Body, line)
		}
		checkJSONNames(t, descriptor, line)
		framed, err := AppendServer(nil, Proto, &m)
		if err != nil {
			t.Fatal(err)
		}
		for _, bytes := range [][]byte{framed, throughOracle(t, descriptor, framed)} {
			if got := oneServer(t, Proto, bytes); !reflect.DeepEqual(got, m) {
				t.Fatalf("seed %d: proto gives %+v, want %+v", seed, got.Body, m.Body)
			}
		}
	}
}
