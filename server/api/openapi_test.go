package api

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The description and the registry list the same methods, each with a request, an answer and problems.
func TestTheDescriptionHasExactlyTheMethods(t *testing.T) {
	description := readDescription(t)
	paths := description["paths"].(map[string]any)
	var described, registered []string
	for path, item := range paths {
		name, isMethod := strings.CutPrefix(path, Prefix)
		if !isMethod {
			continue
		}
		described = append(described, name)
		operation := item.(map[string]any)["post"].(map[string]any)
		if operation["operationId"] != operationOf(name) || operation["summary"] == "" {
			t.Errorf("%s: operationId %v", name, operation["operationId"])
		}
		responses := operation["responses"].(map[string]any)
		if responses["200"] == nil || responses["default"] == nil || operation["requestBody"] == nil {
			t.Errorf("%s: lacks its request, its answer or its problems", name)
		}
	}
	for _, m := range methods {
		registered = append(registered, m.name)
	}
	registered = append(registered, streamName)
	slices.Sort(described)
	slices.Sort(registered)
	if !slices.Equal(described, registered) {
		t.Errorf("described %v, registered %v", described, registered)
	}
}

// operationOf is a name that generators of clients can use: publish/stream is publishStream.
func operationOf(name string) string {
	first, second, found := strings.Cut(name, "/")
	if !found {
		return name
	}
	return first + strings.ToUpper(second[:1]) + second[1:]
}

// Every schema compiles, and every example holds.
func TestTheSchemasAreValid(t *testing.T) {
	description := readDescription(t)
	for name := range description["components"].(map[string]any)["schemas"].(map[string]any) {
		compileSchema(t, name)
	}
	examples := description["components"].(map[string]any)["requestBodies"].(map[string]any)["publish"].(map[string]any)["content"].(map[string]any)["application/json"].(map[string]any)["examples"].(map[string]any)
	for name, example := range examples {
		if err := compileSchema(t, "PublishRequest").Validate(example.(map[string]any)["value"]); err != nil {
			t.Errorf("example %s: %v", name, err)
		}
	}
	for name, body := range map[string]string{
		"PublishRequest":   `{"channel":"chat:a"}`,
		"UpdateRequest":    `{"channel":"a","op":"set","key":"k","value":1,"by":2}`,
		"HistoryRequest":   `{"channel":"a","limit":0}`,
		"BroadcastRequest": `{"channels":["a","a"],"data":1}`,
		"Problem":          `{"type":"about:blank"}`,
	} {
		var value any
		if err := json.Unmarshal([]byte(body), &value); err != nil {
			t.Fatal(err)
		}
		if compileSchema(t, name).Validate(value) == nil {
			t.Errorf("%s takes %s", name, body)
		}
	}
}

func readDescription(t *testing.T) map[string]any {
	t.Helper()
	text, err := descriptionJSON()
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return value.(map[string]any)
}

func compileSchema(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	if err := compiler.AddResource("openapi.json", readDescription(t)); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("openapi.json#/components/schemas/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}
