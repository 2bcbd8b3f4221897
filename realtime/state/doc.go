// Package state keeps the keyed values of one channel (STA-1 to STA-8): what is true now.
//
// A change has two steps. [State.Evaluate] says what an update would do and touches nothing; [State.Commit] does it
// under the version that the log gave it. Between them the owner appends the change to the log, so that state and log
// are never apart.
//
// It is pure: no lock, no clock, no goroutine. One owner calls at a time. The zero State is empty and ready.
package state
