// Package memory is the backend of one process: the data of channels lives in its memory and ends with it. It is also
// the reference for the contract of [broker.Backend].
//
//	b, err := memory.New(memory.Config{Sink: hub, Clock: clock, Rand: rand.Reader})
//	b.Start()
//	defer b.Close()
//
// Channels are spread over shards. One lock per shard covers the machines of its channels and the delivery to the Sink:
// that makes append and deliver one step, and gives the order (POS-5).
//
// # Epochs, and when a channel is forgotten
//
// Every life of a channel has an epoch of its own: what this process drew at its start, and a number that no other life
// gets. A channel that is thrown away and comes back is thus another one: whoever held a position in the first life is
// told that it does not count any more (SUB-6), never that it has been recovered.
//
// That must not happen to somebody who has only lost the line for a moment. So a channel is forgotten only when it holds
// nothing (entries, keys, ids, members), nobody is subscribed to it, and both have been so for as long as its history
// promises to last, and for at least a minute. Who is subscribed is asked of the Sink, when it can tell (the hub can).
// Of a Sink that cannot tell, everything is taken as subscribed, and channels are forgotten only when memory is short.
//
// # When memory is short
//
// When all channels together take more than BytesMax, the entries of logs that are nearest to their end of life give way
// first, anywhere in the process; the log then begins later, and resuming subscribers are told the range they missed.
// When no entries are left to drop, channels that hold nothing and that nobody is subscribed to are forgotten early. When
// that is not enough either, whatever would store more is refused with limit_exceeded.
//
// Concurrency: all methods may be called concurrently. Nothing waits for anything but locks.
package memory
