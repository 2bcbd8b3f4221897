// Package heapfloor keeps a small heap from being collected all the time.
//
// Go collects when the heap has doubled, and a server that holds 3 MB and makes a kilobyte of garbage for each message
// does so fifty times a second. With a floor the heap grows to that before it is collected; where more than half of the floor is
// in use, nothing differs from Go's default. The memory is taken only by a process that makes that much garbage.
//
// It is for programs: [Keep] sets what GOGC sets, for the whole process, and is called once. It is no limit; that is
// GOMEMLIMIT, which goes before it. What is returned may be called from any goroutine, and more than once.
package heapfloor
