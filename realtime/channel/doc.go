// Package channel is the deterministic machine of one channel: its log, its state and its idempotency window together.
//
// The same commands in the same order, with the same times and settings, make the same machine and the same answers,
// so every backend can use it: one that calls it from a lock, and one that applies a replicated log on every node.
//
//	m := channel.New("chat:lobby", epoch)
//	published, entry, err := m.Publish(ns, &draft, now)
//	// entry, when not nil, is now delivered to whoever subscribes, before the next call
//
// The epoch is given from outside (POS-1): who throws a machine away and makes another one for the same channel gives
// another epoch, because offsets begin again.
//
// It does not know presence, which is not in the log, and does not decide authority.
//
// It is pure: no lock, no clock, no goroutine. One owner calls at a time.
package channel
