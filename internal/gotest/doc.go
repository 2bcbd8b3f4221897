// Command gotest runs `go test` and says less and more: one line for each package, the whole output of each
// test that failed, and a last line with totals that a person or a machine can read.
//
//	go run ./internal/gotest [flags of go test] [packages]
//
// It exits as go test does. It is a tool of the makefile: nothing imports it.
package main
