package api

import (
	"encoding/json"
	"net/http"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/bellwire/bellwire/spec"
)

// descriptionJSON is spec/openapi.yaml in JSON, made when it is first asked for.
var descriptionJSON = sync.OnceValues(func() ([]byte, error) {
	var description any
	if err := yaml.Unmarshal(spec.OpenAPI, &description); err != nil {
		return nil, err
	}
	return json.MarshalIndent(description, "", "  ")
})

// serveDescription answers GET /api/v1/openapi.yaml and .json, for which no key is needed.
func serveDescription(w http.ResponseWriter, r *http.Request, name string) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	switch name {
	case "openapi.yaml":
		w.Header().Set("Content-Type", "application/yaml")
		_, _ = w.Write(spec.OpenAPI)
	case "openapi.json":
		text, err := descriptionJSON()
		if err != nil {
			http.Error(w, "the description cannot be read", http.StatusInternalServerError)
			return true
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(text)
	default:
		return false
	}
	return true
}
