// Command codegen turns spec/codes.json, the one catalogue of codes, into the places that need it:
// the Go constants of package realtime, the TypeScript constants of the client and the tables of
// spec/PROTOCOL.md section 9.
//
//	go run ./internal/codegen          write the files that differ
//	go run ./internal/codegen -check   write nothing; exit with 1 when a file is stale
//
// It may be started anywhere inside the module. The output depends on nothing but the catalogue, so
// that the same catalogue always gives the same bytes. It is a build tool: nothing imports it.
package main
