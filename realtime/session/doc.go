// Package session is one client of a node: what it is subscribed to, what it may still send, and what waits to be sent to
// it (PROTOCOL.md sections 5, 6 and 8).
//
// It holds the pure core, [Core], and the two ports through which a session meets the world: [Transport] moves bytes,
// [Protocol] gives them their meaning. It is not a node: it asks no backend, decides no authority and joins no hub. What
// it wants done it says as a [Task], and the driver answers with Finish.
//
// The driver's part, one call at a time, under one lock:
//
//	for request := range … {              // the protocol's reading of what came
//		core.Receive(request, now)
//		for {
//			task, ok := core.Next(now)    // what is to be done for it, one after another
//			if !ok { break }
//			result := carryOut(task)      // outside the lock
//			core.Finish(result, now)
//		}
//	}
//	messages := core.Outgoing(…)          // whenever there is something; Written(messages) afterwards
//
// Publications and presence reach a [Subscription] directly, from the hub, under the same lock. At Deadline the driver
// calls Tick. Ended tells when the line is to be closed, and with which code.
//
// Invariants: one task is in flight at most; replies come in the order of the commands (MSG-4); nothing of a channel is
// queued before its subscribed (SRV-3); offsets queued for a subscription rise (POS-5); what is queued is bounded in
// bytes and in messages, whatever the peer does (LIV-6).
package session
