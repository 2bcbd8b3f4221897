// Package archtest holds the rules of the house, and its test holds the repository to them: which way imports
// point, what a pure core may use, how long functions and files are, how things are named and documented, and
// that tests cite every clause of spec/PROTOCOL.md.
//
// A rule is a function from a [Tree] of sources to [Violation] values whose message says what to do instead.
// What a rule forbids where is a table beside it, each row with its reason; an exception is a row, never a
// comment in the code that breaks the rule. The rules have tests of their own with sources that break them, so
// that a rule that stopped looking would be noticed.
//
// The files are parsed, not compiled: the rules hold for every system and build tag.
package archtest
