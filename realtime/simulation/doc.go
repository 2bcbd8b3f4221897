// Package simulation runs whole systems in one goroutine, from one seed: the cores of clients and of sessions, hub and
// memory backend, and a network between them that cuts, delays, joins, splits and loses.
//
//	report, err := simulation.Run(simulation.Options{Seed: 7, Steps: 20_000})
//
// After every step the invariants are checked that a step can break (docs of [Run]); at the end the faults stop, and
// everybody must get what is still held and be where the truth is. The same seed gives the same run: a failure is a
// number that anyone can replay, and the error holds the last steps of the run.
//
// It is not a test of sockets, goroutines or clocks; the packages' own tests are.
package simulation
