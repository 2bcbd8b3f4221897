package server

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/bellwire/bellwire/spec"
)

// schemas compiles parts of spec/openapi.yaml by their pointers, once each.
var schemas = sync.OnceValue(func() *schemaSet {
	var description any
	if err := yaml.Unmarshal(spec.OpenAPI, &description); err != nil {
		panic(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	if err := compiler.AddResource("openapi.json", description); err != nil {
		panic(err)
	}
	return &schemaSet{compiler: compiler, compiled: map[string]*jsonschema.Schema{}}
})

type schemaSet struct {
	mu       sync.Mutex
	compiler *jsonschema.Compiler
	compiled map[string]*jsonschema.Schema
}

func (s *schemaSet) at(pointer string) (*jsonschema.Schema, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if schema := s.compiled[pointer]; schema != nil {
		return schema, nil
	}
	schema, err := s.compiler.Compile("openapi.json#" + pointer)
	if err == nil {
		s.compiled[pointer] = schema
	}
	return schema, err
}

// checkSchema holds every call of every test against the description: an answer is what its schema says, and a request
// that succeeds is one that its schema allows.
func checkSchema(t *testing.T, method string, status int, body string, answer map[string]any) {
	t.Helper()
	operation := "/paths/~1api~1v1~1" + method + "/post"
	answerSchema := operation + "/responses/200/content/application~1json/schema"
	if status != 200 {
		answerSchema = "/components/schemas/Problem"
	}
	schema, err := schemas().at(answerSchema)
	if err != nil {
		if status == 200 {
			t.Errorf("%s is not described: %v", method, err)
		}
		return
	}
	if err := schema.Validate(any(answer)); err != nil {
		t.Errorf("the answer of %s is not what openapi.yaml says: %v\n%v", method, err, answer)
	}
	if status != 200 || body == "" {
		return
	}
	requestSchema := "/components/schemas/" + strings.ToUpper(method[:1]) + method[1:] + "Request"
	if schema, err = schemas().at(requestSchema); err != nil {
		t.Errorf("%s: %v", requestSchema, err)
		return
	}
	request, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(body)))
	if err != nil {
		t.Errorf("%s: %v", method, err)
		return
	}
	if err := schema.Validate(request); err != nil {
		t.Errorf("openapi.yaml does not allow a request of %s that was carried out: %v\n%.300s", method, err, body)
	}
}

func TestHealthIsWhatTheDescriptionSays(t *testing.T) {
	f := start(t, nil)
	schema, err := schemas().at("/components/schemas/Health")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		status, header, body := f.get(path, nil)
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
		if err == nil {
			err = schema.Validate(value)
		}
		if status != 200 || header.Get("Content-Type") != "application/json" || err != nil {
			t.Errorf("%s: %d %v %v", path, status, header, err)
		}
	}
}
