package document

import (
	"encoding/json"
	"strings"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/realtime"
)

// read asks for one field of every kind.
func read(text string) (*Object, error) {
	in := Parse([]byte(text), 8)
	in.Text("channel")
	in.OptionalText("id")
	in.ShortText("key", 4)
	in.Switch("reverse")
	in.Integer("limit", 1, 1000)
	in.Number("by")
	in.Texts("channels", 3)
	in.Payload("data")
	for _, grant := range in.Objects("allow", 2) {
		grant.Text("name")
	}
	if since, found := in.Object("since"); found {
		since.Text("epoch")
		since.Integer("offset", 0, realtime.OffsetMax)
	}
	return in, in.End()
}

func TestWhatIsWrongIsNamed(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"all there", `{"channel":"c","id":"i","reverse":true,"limit":1000,"by":-1.5,"channels":["a","b","c"],"data":null,"allow":[{"name":"n"}],"since":{"epoch":"e","offset":0}}`, ""},
		{"white space", " {\r\n\t\"channel\" : \"c\" }\n", ""},
		{"missing", `{}`, "channel is missing"},
		{"MSG-5 a misspelled name is named before the one that is missing for it", `{"chanel":"c"}`, `"chanel" is not a field`},
		{"what is wrong otherwise stays first", `{"channel":1,"chanel":"c"}`, "channel is not a text"},
		{"null", `{"channel":null}`, "channel is null"},
		{"wrong type", `{"channel":1}`, "channel is not a text"},
		{"unknown", `{"channel":"c","chanel":"d"}`, `"chanel" is not a field`},
		{"unknown in another case", `{"channel":"c","ID":"d"}`, `"ID" is not a field`},
		{"unknown and strange", `{"channel":"c","\n\u2028":1}`, `"\n\u2028" is not a field`},
		{"unknown and long", `{"channel":"c","` + strings.Repeat("x", 100) + `":1}`, strings.Repeat("x", 64) + `\u2026" is not a field`},
		{"__proto__", `{"channel":"c","__proto__":{}}`, `"__proto__" is not a field`},
		{"duplicate", `{"channel":"c","channel":"c"}`, "without duplicate names"},
		{"duplicate by escape", `{"channel":"c","ch\u0061nnel":"c"}`, "without duplicate names"},
		{"duplicate inside a payload", `{"channel":"c","data":{"a":1,"a":2}}`, "without duplicate names"},
		{"not an object", `[]`, "not a JSON object"},
		{"a text", `"channel"`, "not a JSON object"},
		{"nothing", ``, "not one JSON document"},
		{"two documents", `{"channel":"c"}{"channel":"c"}`, "not one JSON document"},
		{"garbage after it", `{"channel":"c"}x`, "not one JSON document"},
		{"trailing comma", `{"channel":"c",}`, "not one JSON document"},
		{"comment", `{"channel":"c"/* c */}`, "not one JSON document"},
		{"NaN", `{"channel":"c","by":NaN}`, "not one JSON document"},
		{"byte order mark", "\ufeff{}", "not one JSON document"},
		{"lone surrogate", `{"channel":"\ud800"}`, "not one JSON document"},
		{"invalid UTF-8", "{\"channel\":\"\xff\"}", "not one JSON document"},
		{"8 deep", `{"channel":"c","data":[[[[[[[1]]]]]]]}`, ""},
		{"9 deep", `{"channel":"c","data":[[[[[[[[1]]]]]]]]}`, "more than 8 deep"},
		{"brackets in a text are not depth", `{"channel":"[[[[[[[[[[{{\"[[["}`, ""},
		{"short text", `{"channel":"c","key":"abcd"}`, ""},
		{"short text empty", `{"channel":"c","key":""}`, "key is empty or longer than 4 bytes"},
		{"short text too long", `{"channel":"c","key":"abcde"}`, "key is empty or longer than 4 bytes"},
		{"switch as number", `{"channel":"c","reverse":1}`, "reverse is not true or false"},
		{"limit 0", `{"channel":"c","limit":0}`, "limit is not a whole number from 1 to 1000"},
		{"limit -1", `{"channel":"c","limit":-1}`, "limit is not a whole number from 1 to 1000"},
		{"limit 1001", `{"channel":"c","limit":1001}`, "limit is not a whole number from 1 to 1000"},
		{"limit 1.0", `{"channel":"c","limit":1.0}`, "limit is not a whole number"},
		{"limit 1e2", `{"channel":"c","limit":1e2}`, "limit is not a whole number"},
		{"limit 2^64", `{"channel":"c","limit":18446744073709551616}`, "limit is not a whole number"},
		{"limit as text", `{"channel":"c","limit":"1"}`, "limit is not a number"},
		{"number too large", `{"channel":"c","by":1e400}`, "by is too large"},
		{"list too long", `{"channel":"c","channels":["a","b","c","d"]}`, "channels has more than 3 elements"},
		{"list of other things", `{"channel":"c","channels":["a",null]}`, "channels[1] is not a text"},
		{"list as text", `{"channel":"c","channels":"a"}`, "channels is not a list"},
		{"objects of other things", `{"channel":"c","allow":[1]}`, "allow[0] is not an object"},
		{"field of an object in a list", `{"channel":"c","allow":[{"name":"a"},{}]}`, "allow[1].name is missing"},
		{"unknown in an object in a list", `{"channel":"c","allow":[{"name":"a","x":1}]}`, `"allow[0].x" is not a field`},
		{"nested missing", `{"channel":"c","since":{}}`, "since.epoch is missing"},
		{"nested null", `{"channel":"c","since":{"epoch":null}}`, "since.epoch is null"},
		{"nested unknown", `{"channel":"c","since":{"epoch":"e","at":1}}`, `"since.at" is not a field`},
		{"nested of another type", `{"channel":"c","since":[]}`, "since is not an object"},
		{"both payloads", `{"channel":"c","data":1,"data64":"AA=="}`, "data and data64 are both given"},
		{"base64 without padding", `{"channel":"c","data64":"AA"}`, "data64 is not base64"},
		{"base64 with a line feed", `{"channel":"c","data64":"AA==\n"}`, "data64 is not base64"},
		{"base64 of the URL alphabet", `{"channel":"c","data64":"_-8="}`, "data64 is not base64"},
		{"base64 not canonical", `{"channel":"c","data64":"AB=="}`, "data64 is not base64"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := read(test.text)
			switch {
			case test.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("got %v, want %q", err, test.want)
			case err != nil && realtime.CodeOf(err) != realtime.CodeBadRequest:
				t.Errorf("code %d", realtime.CodeOf(err))
			}
		})
	}
}

func TestAPayloadIsPassedOnCompactAndOtherwiseAsItCame(t *testing.T) {
	for text, want := range map[string]string{
		`{ "data" : { "b" : 1.0 , "a" : [ 1e2 , "\u00e9" ] } }`: `{"b":1.0,"a":[1e2,"\u00e9"]}`,
		`{"data":null}`: `null`,
	} {
		in := Parse([]byte(text), 8)
		payload := in.Payload("data")
		if err := in.End(); err != nil || payload.Encoding != realtime.EncodingJSON || string(payload.Bytes) != want {
			t.Errorf("%s: %q %v", text, payload.Bytes, err)
		}
	}
	in := Parse([]byte(`{"data64":"AP8="}`), 8)
	if payload := in.Payload("data"); payload.Encoding != realtime.EncodingBinary || string(payload.Bytes) != "\x00\xff" {
		t.Errorf("%v", payload)
	}
	if payload := Parse([]byte(`{}`), 8).Payload("data"); !payload.IsNone() {
		t.Errorf("%v", payload)
	}
}

func TestEveryPrefixIsRefused(t *testing.T) {
	const whole = `{"channel":"c","channels":["a","b"],"since":{"epoch":"e","offset":7},"data":{"x":[1,{"y":"z\n"}]},"limit":3}`
	for i := range len(whole) {
		if _, err := read(whole[:i]); err == nil {
			t.Errorf("accepted %q", whole[:i])
		}
	}
	if _, err := read(whole); err != nil {
		t.Error(err)
	}
}

func TestElementsCountsLikeTheStandardLibrary(t *testing.T) {
	for _, text := range []string{`[]`, `[ ]`, "[\n]", `[1]`, `[[]]`, `[{}]`, `[""]`, `[",",","]`, `["\"",1]`, `[[1,2],[3,4],{"a":1,"b":2}]`, `[null,true]`} {
		var want []any
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		if got := elements([]byte(text)); got != len(want) {
			t.Errorf("%s: %d, want %d", text, got, len(want))
		}
	}
}

// The oracle is the standard library: what it refuses must be refused here, and texts must come out alike.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"channel":"c","data":{"a":[1,2,3]},"since":{"epoch":"e","offset":1}}`))
	f.Add([]byte(`{"channel":"\ud83d\ude00","channels":["a","b"],"allow":[{"name":"n"}]}`))
	f.Add([]byte(`{"channel":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		in, err := read(string(text))
		if err != nil {
			return
		}
		var want map[string]any
		if json.Unmarshal(text, &want) != nil {
			t.Fatalf("accepted what is not JSON: %q", text)
		}
		if got, _ := in.OptionalText("channel"); got != want["channel"] {
			t.Fatalf("channel %q, want %q", got, want["channel"])
		}
	})
}

// An object's fields and a value without space are what jsontext makes of them, however the text is spaced.
func FuzzTheFieldsAreThoseOfJSON(f *testing.F) {
	for _, seed := range []string{
		`{}`, ` { } `, `{"a":1}`, "\t{ \"a\" : [ 1 , { \"b\" : \"]}\\\"\" } ] , \"c\\u0064\" :null\r\n}\n", `{"":""}`, `{"a":"\\"}`, `{"a":-1.50e+3,"b":true}`,
		`{"a":{"b":{"c":[[[]]]}},"d":" x  y "}`, `{"é":"\ud83d\ude00","\n":[]}`, `[1]`, `{"a":1`, `{"a":1,"a":2}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if value := jsontext.Value(text); !value.IsValid() || value.Kind() != '{' {
			return
		}
		var want map[string]jsontext.Value
		if err := jsonv2.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		got := appendFields(nil, text)
		if len(got) != len(want) {
			t.Fatalf("%d fields, want %d", len(got), len(want))
		}
		for _, field := range got {
			wanted, found := want[string(field.name)]
			if !found || string(field.value) != string(wanted) {
				t.Fatalf("%q is %q, want %q", field.name, field.value, wanted)
			}
			compact := wanted.Clone()
			if err := compact.Compact(); err != nil {
				t.Fatal(err)
			}
			if got := appendCompact(nil, field.value); string(got) != string(compact) {
				t.Fatalf("%q without space is %q, want %q", wanted, got, compact)
			}
		}
	})
}

func BenchmarkPublishRequest(b *testing.B) {
	text := []byte(`{"channel":"bench:0","data":{"t":1234567890,"pad":"` + strings.Repeat("x", 100) + `"},"id":"b6Jx"}`)
	b.ReportAllocs()
	for b.Loop() {
		in := Parse(text, 31)
		in.ShortText("id", 64)
		in.Payload("data")
		in.Text("channel")
		if err := in.End(); err != nil {
			b.Fatal(err)
		}
	}
}
