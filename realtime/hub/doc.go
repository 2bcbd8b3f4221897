// Package hub knows which subscriptions of this node are in which channel, and hands them what happens there.
//
// It is the [broker.Sink] of a node's backend. A publication is encoded at most once per protocol and form, when the
// first subscriber of that protocol is met, and all subscribers share the bytes. A publication to a channel nobody here
// is subscribed to costs one map lookup. Nothing is allocated, and no clock is read, per delivery.
//
// Subscribers that a [Carrier] serves, the loop of a reactor, are walked there: the hub hands a publication once to each
// carrier. All others are called by whoever delivers.
//
// It is not a session: it holds no queue and knows no position. It is not a broker: it orders nothing, it keeps the
// order of the calls it gets.
//
//	h := hub.New(hub.Config{Clock: clock})
//	h.Start()
//	defer h.Close()
//	subscription, err := h.Join(subscriber, "chat:lobby", hub.Options{Encoder: json, Connection: id})
//	...
//	h.Leave(subscription) // nothing is delivered to the subscriber after it returns
//
// Presence changes of a channel are told at most once per [PresenceWindow]: the first at once, later ones merged, and
// the last state is always told exactly (SRV-4). Start runs the goroutine that does so; a simulation calls
// Deadline and Tick itself instead.
//
// Concurrency: all methods may be called concurrently. Calls of the Sink for one channel must come one after another,
// as the port says. Subscribers are called with a lock held: they must not block and must not call the hub.
//
// Lock order: whoever calls the Sink, then a lane's presence lock, then a lane's lock (or that of the patterns), then
// that of a cohort, then whatever the subscriber takes. A carrier takes the cohort's alone.
package hub
