// Package web holds what Bellwire serves to browsers: the demo page and the client library as one file.
//
// Both are built from TypeScript by `make web` into web/dist, which is committed, so that building the
// binary needs Go alone. `make check` fails when web/dist is not what the sources give.
//
// The file systems are immutable and may be used concurrently.
package web
