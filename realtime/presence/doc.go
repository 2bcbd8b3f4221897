// Package presence keeps who is in one channel (PRE-1 to PRE-5): members by user, each with its connections.
//
// A member is a value that is never changed: entering and leaving replace it. Pages and changes share it freely.
// Versions come from the owner, because they must go on growing when an empty Set has been thrown away (PRE-4).
//
// It is pure: no lock, no clock, no goroutine. One owner calls at a time. The zero Set is empty and ready.
package presence
