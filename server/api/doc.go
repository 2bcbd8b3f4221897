// Package api is the HTTP API of the application's backends: POST /api/v1/<method> with a key, JSON in and JSON out.
//
// It is a translator: a method reads its fields, asks the node, and answers in the words of the native protocol. Fields
// are read as strictly as commands are (MSG-5). What goes wrong is a problem document (RFC 9457) with the code of the
// catalogue. spec/openapi.yaml describes it, and a test holds the two together.
//
// Whoever has a key has full authority. Wrong keys are counted for each address, and too many are answered with 429
// before any is looked at.
//
// It also serves health: /healthz says that the process runs, /readyz asks the backend.
package api
