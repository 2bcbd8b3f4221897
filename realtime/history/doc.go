// Package history keeps the newest entries of one channel's log and the ids of its latest idempotent commands.
//
// A [Log] is a ring that grows with what it holds, bounded by count, age and bytes. Offsets in it are without a gap, so
// a place is found by subtraction. [IDs] is the idempotency window: its own bounds, its own order of time, because an
// id may have to be known longer than its entry is held, and the other way round.
//
// Both are pure: no lock, no clock, no goroutine; time comes with the call. One owner calls at a time. The zero values
// are empty and ready, and cost no more than themselves.
package history
