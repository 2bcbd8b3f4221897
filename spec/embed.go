// Package spec holds what is embedded of this folder: the description of the HTTP API.
package spec

import _ "embed"

// OpenAPI is openapi.yaml.
//
//go:embed openapi.yaml
var OpenAPI []byte
