package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/realtime"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// payloadPaths are where a null is a value (MSG-5).
var payloadPaths = []string{"data", "value", "enter"}

// TestFieldMatrix replaces every field of every command by null, by every wrong type and by nothing (VC-15, AP-05): the
// message is refused with bad_request that names the field, or, where the field may be absent, is accepted (MSG-5).
func TestFieldMatrix(t *testing.T) {
	wrong := map[string]string{
		"null": "null", "bool": "true", "number": "1.5", "string": `"?"`, "empty string": `""`, "array": "[[]]", "object": `{"?":1}`,
		"huge": "1e400", "negative": "-1",
	}
	cases := 0
	for _, v := range vectors(t, "client.json") {
		var message map[string]any
		if err := json.Unmarshal(v.JSON, &message); err != nil {
			t.Fatal(err)
		}
		for _, path := range pathsOf("", message) {
			field := path[strings.LastIndexByte(path, '.')+1:]
			for kind, replacement := range wrong {
				cases++
				checkReplaced(t, message, path, field, kind, replacement)
			}
			cases++
			checkAbsent(t, message, path)
		}
	}
	if cases < 600 {
		t.Fatalf("only %d cases", cases)
	}
	t.Logf("%d cases", cases)
}

func checkReplaced(t *testing.T, message map[string]any, path, field, kind, replacement string) {
	t.Helper()
	document := replaced(message, path, json.RawMessage(replacement))
	m, err := DecodeClient(JSON, document).Next()
	if err == nil {
		if isValidFor(field, kind) {
			return
		}
		t.Errorf("%s: %s is accepted as %+v", document, path, m.Command)
		return
	}
	var r *Refusal
	if !errors.As(err, &r) || r.Err.Code != realtime.CodeBadRequest && r.Err.Code != realtime.CodeUnknownCommand {
		t.Errorf("%s: %v", document, err)
		return
	}
	if r.Err.Code == realtime.CodeBadRequest && !strings.Contains(r.Err.Message, field) {
		t.Errorf("%s: %q does not name %s", document, r.Err.Message, field)
	}
}

// isValidFor knows which replacements happen to be right.
func isValidFor(field, kind string) bool {
	switch {
	case slices.Contains(payloadPaths, field):
		return true
	case field == "data64" || field == "value64":
		return kind == "empty string"
	case slices.Contains([]string{"channel", "token", "client", "id", "epoch", "key", "after", "method"}, field):
		return kind == "string" || kind == "empty string"
	case slices.Contains([]string{"state", "reverse", "count_only", "echo"}, field):
		return kind == "bool"
	case field == "by":
		return kind == "number" || kind == "negative"
	}
	return false
}

func checkAbsent(t *testing.T, message map[string]any, path string) {
	t.Helper()
	document := replaced(message, path, nil)
	_, err := DecodeClient(JSON, document).Next()
	var r *Refusal
	if err != nil && !errors.As(err, &r) {
		t.Errorf("%s: without %s: %v", document, path, err)
	}
}

// pathsOf lists every field of a message, payloads not looked into.
func pathsOf(prefix string, value any) (paths []string) {
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			paths = append(paths, prefix+name)
			if !slices.Contains(payloadPaths, name) {
				paths = append(paths, pathsOf(prefix+name+".", value[name])...)
			}
		}
	case []any:
		for i := range value {
			paths = append(paths, pathsOf(fmt.Sprintf("%s%d.", prefix, i), value[i])...)
		}
	}
	return paths
}

// replaced writes the message with another value at a path, or none.
func replaced(message map[string]any, path string, by json.RawMessage) []byte {
	b, err := json.Marshal(replaceIn(message, strings.Split(path, "."), by))
	if err != nil {
		panic(err)
	}
	return b
}

func replaceIn(value any, path []string, by json.RawMessage) any {
	if len(path) == 0 {
		return by
	}
	switch value := value.(type) {
	case map[string]any:
		copied := maps.Clone(value)
		if len(path) == 1 && by == nil {
			delete(copied, path[0])
		} else {
			copied[path[0]] = replaceIn(value[path[0]], path[1:], by)
		}
		return copied
	case []any:
		copied := slices.Clone(value)
		var i int
		fmt.Sscan(path[0], &i)
		copied[i] = replaceIn(value[i], path[1:], by)
		return copied
	}
	return value
}

// TestNumberEdges: every numeric field takes exactly the integers of its range (VC-19, AP-04, MSG-5, MSG-7).
func TestNumberEdges(t *testing.T) {
	fields := map[string]uint64{
		`{"id":%s,"ping":{}}`: IDMax,
		`{"subscribe":{"channels":[{"channel":"a","since":{"epoch":"e","offset":%s}}]}}`: realtime.OffsetMax,
		`{"subscribe":{"channels":[{"channel":"a","rewind":%s}]}}`:                       1<<32 - 1,
		`{"history":{"channel":"a","limit":%s}}`:                                         LimitMax,
		`{"state":{"channel":"a","limit":%s}}`:                                           LimitMax,
		`{"presence":{"channel":"a","limit":%s}}`:                                        LimitMax,
		`{"update":{"channel":"a","op":"set_if","key":"k","value":1,"version":%s}}`:      realtime.OffsetMax,
	}
	for format, max := range fields {
		for _, n := range []uint64{0, 1, 999, 1000, 1001, 1<<31 - 1, 1 << 31, 1<<31 + 1, 1<<32 - 1, 1 << 32, 1<<53 - 1, 1 << 53, 1<<53 + 1, 1<<63 - 1, 1 << 63, 1<<64 - 1} {
			_, err := DecodeClient(JSON, fmt.Appendf(nil, format, fmt.Sprint(n))).Next()
			if ok := err == nil; ok != (n <= max) {
				t.Errorf(format+": accepted %t", fmt.Sprint(n), ok)
			}
		}
		for _, n := range []string{"-0", "-1", "1.0", "0.5", "1e0", "1e400", "-1e400", "18446744073709551616", "00", "+1", "0x1", "NaN", `"1"`} {
			if _, err := DecodeClient(JSON, fmt.Appendf(nil, format, n)).Next(); err == nil {
				t.Errorf(format+" is accepted", n)
			}
		}
	}
}

func TestDepthOfDocumentsAndPayloads(t *testing.T) { // MSG-9, AP-02
	nested := func(depth int, open, shut string) string {
		return strings.Repeat(open, depth) + strings.Repeat(shut, depth)
	}
	for _, row := range []struct {
		rule, payload string
		ok            bool
	}{
		{"30 arrays", nested(30, "[", "]"), true},
		{"31 arrays", nested(31, "[", "]"), false},
		{"30 objects", strings.Repeat(`{"a":`, 30) + "1" + strings.Repeat("}", 30), true},
		{"31 objects", strings.Repeat(`{"a":`, 31) + "1" + strings.Repeat("}", 31), false},
		{"1,000 brackets in a string", `"` + strings.Repeat("[", 1000) + `\"["`, true},
		{"1,000 arrays side by side", "[" + strings.Repeat("[],", 999) + "[]]", true},
	} {
		t.Run(row.rule, func(t *testing.T) {
			_, err := DecodeClient(JSON, []byte(`{"id":1,"publish":{"channel":"a","data":`+row.payload+`}}`)).Next()
			if (err == nil) != row.ok {
				t.Errorf("json: %v", err)
			}
			if errors.Is(err, ErrMalformed) {
				t.Error("json: a document that is too deep ends the connection")
			}
			m := ClientMessage{ID: 1, Command: &Publish{Channel: "a", Payload: realtime.JSON([]byte(row.payload))}}
			framed, _ := AppendClient(nil, Proto, &m)
			if _, err := DecodeClient(Proto, framed).Next(); (err == nil) != row.ok {
				t.Errorf("proto: %v", err)
			}
		})
	}
	if _, err := DecodeClient(JSON, []byte(strings.Repeat("[", 1<<20))).Next(); !errors.Is(err, ErrMalformed) {
		t.Errorf("a million open brackets: %v", err)
	}
}

func TestListsAreBoundedWhileTheyAreRead(t *testing.T) { // MSG-5, VC-17
	message := `{"unsubscribe":{"channels":["a"` + strings.Repeat(`,"a"`, ItemsMax) + `]}}`
	_, err := DecodeClient(JSON, []byte(message)).Next()
	var r *Refusal
	if !errors.As(err, &r) || r.Err.Code != realtime.CodeBadRequest {
		t.Fatalf("%d channels: %v", ItemsMax+1, err)
	}
	b := protowire.AppendTag(nil, 4, protowire.BytesType)
	b = protowire.AppendBytes(b, []byte(strings.Repeat("\x0a\x01a", ItemsMax+1)))
	if _, err := DecodeClient(Proto, protowire.AppendBytes(nil, b)).Next(); !errors.As(err, &r) {
		t.Fatalf("proto: %v", err)
	}
}

// TestStrictProto has what protobuf itself would let pass (MSG-5, CON-6).
func TestStrictProto(t *testing.T) {
	field := func(number protowire.Number, value string) string {
		return string(protowire.AppendString(protowire.AppendTag(nil, number, protowire.BytesType), value))
	}
	number := func(field protowire.Number, n uint64) string {
		return string(protowire.AppendVarint(protowire.AppendTag(nil, field, protowire.VarintType), n))
	}
	channel := field(1, "a")
	payload := func(inner string) string { return field(5, channel+field(2, inner)) }
	for _, row := range []struct {
		rule, message string
		code          realtime.Code // CodeBadProtocol: malformed
	}{
		{"no command", "", realtime.CodeUnknownCommand},
		{"an unknown command", field(15, ""), realtime.CodeUnknownCommand},
		{"a field number beyond every list", field(1<<20, ""), realtime.CodeUnknownCommand},
		{"two commands", field(14, "") + field(14, ""), realtime.CodeUnknownCommand},
		{"id above 2^32-1", number(1, 1<<32) + field(14, ""), realtime.CodeBadRequest},
		{"id given twice", number(1, 1) + number(1, 1) + field(14, ""), realtime.CodeBadRequest},
		{"an id that is text", field(1, "7") + field(14, ""), realtime.CodeBadRequest},
		{"a command that is a number", number(14, 1), realtime.CodeBadRequest},
		{"an unknown field", field(12, channel[:0]+field(9, "x")), realtime.CodeBadRequest},
		{"a field given twice", field(11, channel+channel), realtime.CodeBadRequest},
		{"a text that is no UTF-8", field(11, field(1, "\xff")), realtime.CodeBadRequest},
		{"a bool of 2", field(6, channel+number(4, 2)), realtime.CodeBadRequest},
		{"an enumeration's unknown number", field(3, field(1, channel+number(5, 3))), realtime.CodeBadRequest},
		{"an empty payload", payload(""), realtime.CodeBadRequest},
		{"a payload of both kinds", payload(field(1, "1") + field(2, "x")), realtime.CodeBadRequest},
		{"a payload of an unknown kind", payload(field(3, "1")), realtime.CodeBadRequest},
		{"a JSON payload that is none", payload(field(1, "{")), realtime.CodeBadRequest},
		{"a JSON payload of two values", payload(field(1, "1 2")), realtime.CodeBadRequest},
		{"a JSON payload with a name twice", payload(field(1, `{"a":1,"a":2}`)), realtime.CodeBadRequest},
		{"a field cut off", "\x72\x05a", realtime.CodeBadProtocol},
		{"a group that does not end", "\x0b", realtime.CodeBadProtocol},
		{"field number 0", "\x02\x00", realtime.CodeBadProtocol},
		{"a nested message cut off", field(11, "\x0a\x09a"), realtime.CodeBadProtocol},
	} {
		t.Run(row.rule, func(t *testing.T) {
			_, err := DecodeClient(Proto, protowire.AppendBytes(nil, []byte(row.message))).Next()
			var r *Refusal
			if row.code == realtime.CodeBadProtocol {
				if !errors.Is(err, ErrMalformed) {
					t.Fatalf("got %v, want ErrMalformed", err)
				}
			} else if !errors.As(err, &r) || r.Err.Code != row.code {
				t.Fatalf("got %v, want %d", err, row.code)
			}
		})
	}
}

func TestFramingOfProto(t *testing.T) { // CON-2
	ping := "\x02\x72\x00"
	for _, row := range []struct {
		rule, message string
		count         int
		err           error
	}{
		{"three messages", ping + ping + ping, 3, io.EOF},
		{"nothing", "", 0, ErrMalformed},
		{"a length longer than the rest", ping + "\x03\x72\x00", 1, ErrMalformed},
		{"a length of 2^63", ping + "\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 1, ErrMalformed},
		{"a length cut off", ping + "\xff", 1, ErrMalformed},
	} {
		t.Run(row.rule, func(t *testing.T) {
			d := DecodeClient(Proto, []byte(row.message))
			count := 0
			_, err := d.Next()
			for ; err == nil; _, err = d.Next() {
				count++
			}
			if count != row.count || !errors.Is(err, row.err) {
				t.Fatalf("%d messages, then %v", count, err)
			}
			if _, again := d.Next(); !errors.Is(again, row.err) {
				t.Fatalf("after the end: %v", again)
			}
		})
	}
}

func TestARefusedMessageDoesNotEndTheOthers(t *testing.T) { // CON-6, CON-3
	d := DecodeClient(JSON, []byte("{\"id\":1,\"ping\":{}}\r\n{\"id\":2,\"ping\":1}\n{\"id\":3,\"ping\":{}}"))
	var got []string
	for {
		m, err := d.Next()
		if err == io.EOF {
			break
		}
		got = append(got, fmt.Sprint(m.ID, " ", err))
	}
	want := []string{"1 <nil>", "0 bad_request (100): ping must be an object", "3 <nil>"}
	if !slices.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
}

func TestPayloadsAreKeptAsTheyCameWithoutWhiteSpace(t *testing.T) { // MSG-8
	for input, want := range map[string]string{
		`{ "a" : [ 1 , 2.50 ] }`:         `{"a":[1,2.50]}`,
		`"a b\t\"c\\"`:                   `"a b\t\"c\\"`,
		`"\u00e4 ä"`:                     `"\u00e4 ä"`,
		`1E+2`:                           `1E+2`,
		"\t[\r ]":                        `[]`,
		`{"b":1,"a":{"z":" ","y":null}}`: `{"b":1,"a":{"z":" ","y":null}}`,
	} {
		m := oneClient(t, JSON, []byte(`{"publish":{"channel":"c","data":`+input+`}}`))
		if got := string(m.Command.(*Publish).Payload.Bytes); got != want {
			t.Errorf("%s became %s, want %s", input, got, want)
		}
	}
}

// TestTolerantClient: what is unknown is ignored, null is absent (MSG-6).
func TestTolerantClient(t *testing.T) {
	for input, want := range map[string]string{
		`{"future":{"x":[1]},"ping":{"time_ms":7,"zone":"UTC"},"id":3}`:                     `{"id":3,"ping":{"time_ms":7}}`,
		`{"publication":{"channel":"a","offset":3,"prev":null,"data":1,"likes":{"n":[2]}}}`: `{"publication":{"channel":"a","offset":3,"data":1}}`,
		`{"presence":{"version":3,"count":1},"id":9}`:                                       `{"id":9,"presence":{"version":3,"count":1}}`,
		`{"presence":{"channel":"a","version":3,"count":1}}`:                                `{"presence":{"channel":"a","version":3,"count":1}}`,
	} {
		m := oneServer(t, JSON, []byte(input))
		line, err := AppendServer(nil, JSON, &m)
		wantBytes(t, input, line, err, []byte(want+"\n"))
	}
	if m := oneServer(t, JSON, []byte(`{"future":{}}`)); m.Body != nil {
		t.Errorf("an unknown message became %+v", m.Body)
	}
	if m := oneServer(t, Proto, []byte("\x05\xfa\x07\x02\x08\x01")); m.Body != nil {
		t.Errorf("an unknown message became %+v", m.Body)
	}
}

func TestARefusalNamesTheElementOfAList(t *testing.T) { // MSG-5
	for document, want := range map[string]string{
		`{"connect":{"subscribe":[{"channel":"a"},4]}}`:                      "connect.subscribe[1] must be an object",
		`{"connect":{"subscribe":[{}]}}`:                                     "connect.subscribe[0].channel is missing",
		`{"subscribe":{"channels":[{"channel":"a","since":{"epoch":3}}]}}`:   "subscribe.channels[0].since.epoch must be a string",
		`{"subscribe":{"channels":[{"channel":"a"},{"channel":"b","x":1}]}}`: `subscribe.channels[1]."x" is unknown`,
		`{"unsubscribe":{"channels":["a",1]}}`:                               "unsubscribe.channels[1] must be a string",
	} {
		_, err := DecodeClient(JSON, []byte(document)).Next()
		var refusal *Refusal
		if !errors.As(err, &refusal) || refusal.Err.Message != want {
			t.Errorf("%s: %v, want %q", document, err, want)
		}
	}
}

// TestTheSchemaHasNoOtherFields: a field added to the schema must be added here (MSG-7).
func TestTheSchemaHasNoOtherFields(t *testing.T) {
	client, server := schema(t)
	for _, direction := range []struct {
		descriptor protoreflect.MessageDescriptor
		names      []string
	}{{client, commandNames[:]}, {server, bodyNames[:]}} {
		fields := direction.descriptor.Fields()
		for i := range fields.Len() {
			number, name := int(fields.Get(i).Number()), string(fields.Get(i).Name())
			if number == 1 {
				continue
			}
			if number >= len(direction.names) || strings.TrimSuffix(name, "_page") != direction.names[number] {
				t.Errorf("%s.%s is not known", direction.descriptor.Name(), name)
			}
		}
	}
}
