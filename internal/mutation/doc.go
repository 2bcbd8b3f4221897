// Package mutation breaks code on purpose, one rule at a time, and expects a test to fail.
//
// A bank is a list of small changes, each a [Mutant]: a file, text that stands in it once, what it becomes, the rule that is broken
// and what is wrong afterwards. Each is built through an overlay, so that the tree is not touched, and run through the
// tests of the packages that must notice. The unchanged tests run first: a bank proves nothing over tests that
// fail anyway.
//
// The command of a bank is [Main]. It prints a table, and exits with 1 if a mutant survives, does not build, or no longer
// applies. That all of them apply is also a test of the bank's package, by [Check], so that whoever changes a line
// renews its mutant. A survivor is a missing test: write it, named after the rule.
//
// It is for tests only and imports nothing outside the standard library.
package mutation
