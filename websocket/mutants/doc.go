// Command mutants breaks the engine on purpose, one rule at a time, and expects a test to fail.
//
//	go run ./websocket/mutants [part of a class, fault or file]
//
// What that proves, and what to do about a survivor, is said by package internal/mutation.
package main
