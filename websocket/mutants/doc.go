// Command mutants breaks the engine on purpose, one rule at a time, and expects a test to fail.
//
//	go run ./websocket/mutants [part of a class, fault or file]
//
// The bank is a list of small changes: a file, text that stands in it once, what it becomes, the class of fault (of the
// vulnerability catalogue, or the clause broken) and what is wrong afterwards. Each is built through an overlay,
// so that the tree is not touched, and run through the tests of the packages that must notice. The unchanged tests
// run first: a bank proves nothing over tests that fail anyway.
//
// It prints a table, and exits with 1 if a mutant survives, does not build, or no longer applies. That all of them
// apply is also a test of this package, so that whoever changes a line renews its mutant. A survivor is a missing
// test: write it, named after the rule.
package main
