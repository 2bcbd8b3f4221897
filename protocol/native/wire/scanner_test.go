package wire

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

// throughDecoder reads a document as it is read where the scanner refuses it.
func throughDecoder(document []byte) (ClientMessage, error) {
	if depthOf(document) > DepthMax {
		return ClientMessage{}, errNotPlain
	}
	p := takeParser(document, true)
	defer p.release()
	return p.readClient()
}

// checkScanner: what the scanner takes, the decoder takes as well, and it says the same.
func checkScanner(t *testing.T, document []byte) (plain bool) {
	t.Helper()
	if depthOf(document) > DepthMax {
		return false
	}
	got, plain := scanClient(document)
	if !plain {
		return false
	}
	want, err := throughDecoder(document)
	if err != nil {
		t.Fatalf("%q is taken, and wrong: %v", document, err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%q gives %+v, want %+v", document, got.Command, want.Command)
	}
	return true
}

func FuzzScanner(f *testing.F) { // MSG-5
	for _, file := range []string{"client.json", "invalid.json"} {
		for _, v := range vectors(f, file) {
			f.Add([]byte(v.JSON))
			f.Add([]byte(v.Input))
		}
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		for document := range bytes.Lines(input) {
			checkScanner(t, document)
			checkScanner(t, append([]byte(`{"publish":{"channel":"a","data":`), append(document, "}}"...)...))
		}
	})
}

func TestTheScannerTakesWhatClientsSend(t *testing.T) {
	plain := 0
	const seeds = 3000
	for seed := range uint64(seeds) {
		m := newRandom(seed).client()
		line, err := AppendClient(nil, JSON, &m)
		if err != nil {
			t.Fatal(err)
		}
		if checkScanner(t, line) {
			plain++
		}
	}
	if plain < seeds/2 { // the others have text in \u
		t.Fatalf("only %d of %d", plain, seeds)
	}
}

// TestTheScannerMutations changes each byte of a document to each other one that means something, takes it out and doubles it.
func TestTheScannerMutations(t *testing.T) { // MSG-5, CON-6
	document := []byte(` {"id" :12,"publish": {"channel":"a","data":{"a":[1,-0.5e+7,{ }],"b":"\n\"é","c":[ ] ,"d":[true,null]},"echo":false}} `)
	if !checkScanner(t, document) {
		t.Fatal("it is not plain")
	}
	plain := 0
	for at := range document {
		for _, c := range []byte("{}[]:,\"\\0189-+.eEtnabu \n\x00\x1f\x80\xc3") {
			changed := bytes.Clone(document)
			changed[at] = c
			if checkScanner(t, changed) {
				plain++
			}
		}
		checkScanner(t, append(bytes.Clone(document[:at]), document[at+1:]...))
		checkScanner(t, append(bytes.Clone(document[:at+1]), document[at:]...))
		checkScanner(t, document[:at])
	}
	t.Logf("%d mutants are plain", plain)
}

// TestTheScannerRefuses what a document must not be, and what it leaves to the decoder.
func TestTheScannerRefuses(t *testing.T) {
	data := func(value string) string { return `{"publish":{"channel":"a","data":` + value + `}}` }
	var manyNames strings.Builder
	for i := range scanNamesMax + 1 {
		manyNames.WriteString(strings.Repeat("n", i+1) + `":0,"`)
	}
	for rule, document := range map[string]string{
		"an id twice":             `{"id":1,"id":1,"ping":{}}`,
		"a name twice":            data(`{"a":1,"b":{"c":1},"a":2}`),
		"a name twice within":     data(`[{"a":1,"a":2}]`),
		"a name in another way":   data(`{"a":1,"\u0061":2}`),
		"a default twice":         `{"publish":{"channel":"a","id":"","id":"","data":1}}`,
		"a surrogate alone":       data(`"\ud800"`),
		"not UTF-8":               data("\"\x80\""),
		"a control character":     data("\"12345678\x1f\""),
		"a control among eight":   data("\"1234\x1f567\""),
		"an escape of nothing":    data(`"\x"`),
		"a leading zero":          data(`01`),
		"a number's end":          data(`1.`),
		"a sign":                  data(`+1`),
		"a comma at the end":      data(`[1,]`),
		"a comma after a command": `{"ping":{},}`,
		"something after it":      `{"ping":{}} 1`,
		"two values":              `{"ping":{}}{"ping":{}}`,
		"an array as an object":   `["ping",{}]`,
		"a name without quotes":   `{ping:{}}`,
		"brackets that differ":    data(`[1}`),
		"more names than it has":  data(`{"` + manyNames.String() + `z":1}`),
	} {
		t.Run(rule, func(t *testing.T) {
			if m, plain := scanClient([]byte(document)); plain {
				t.Fatalf("%s is taken: %+v", document, m.Command)
			}
		})
	}
}

// TestNamesOfDifferentObjects may be the same, and leave room for others when their object ends.
func TestNamesOfDifferentObjects(t *testing.T) {
	value := `[` + strings.Repeat(`{"a":{"a":1},"b":{}},`, 2*scanNamesMax) + `0]`
	if !checkScanner(t, []byte(`{"publish":{"channel":"a","data":`+value+`}}`)) {
		t.Fatal("it is refused")
	}
}
