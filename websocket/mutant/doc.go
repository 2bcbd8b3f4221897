// Package mutant keeps a bank of faults: each breaks one rule of the engine on
// purpose, and some test must notice. It has no code of its own, only tests:
//
//	BELLWIRE_MUTANTS=1 go test ./websocket/mutant -timeout 60m
//
// builds each mutant by an overlay (the tree is not touched), runs the tests of
// the packages named, and fails for those that survive. Without the variable only
// this is checked: that the line each mutant changes still stands where it did.
package mutant
