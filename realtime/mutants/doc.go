// Command mutants makes channels lose, double, reorder and misdirect publications on purpose, one fault at a time, and expects a
// test to fail.
//
//	go run ./realtime/mutants [part of a class, fault or file]
//
// What that proves, and what to do about a survivor, is said by package internal/mutation.
package main
