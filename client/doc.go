// Package client is the Go client of Bellwire: it keeps one line to a server open, and everything that is subscribed
// over it exact, through restarts, lost networks and expired tokens.
//
//	c, err := client.New("ws://127.0.0.1:8000/ws", nil)
//	if err != nil {
//		return err
//	}
//	defer c.Close()
//	if err := c.Connect(ctx); err != nil {
//		return err
//	}
//	lobby := c.Channel("chat:lobby", nil)
//	if _, err := lobby.Publish(ctx, "hello", nil); err != nil {
//		return err
//	}
//	for publication, err := range lobby.Publications(ctx) {
//		...
//	}
//
// # What it is
//
// A thin driver around the pure state machine of the package core, which decides everything: when to connect again, what
// is a duplicate, what is sent once more. The driver owns the socket, the goroutines and the clock, and decides nothing.
//
// # What it promises
//
// A stream (Publications, Events) gets every publication of its channel after its beginning once, in order. Where something is
// gone for good (PROTOCOL.md SUB-5, SUB-6) it says so with a [MissedError] and goes on: never a silent gap. A publish or update is
// stored once, however often the line is lost before its answer; while the line is down it waits.
// Each [Publication] has its Position, which, given to [ChannelOptions].Since by a later process, leads on exactly there.
//
// # Streams
//
// A stream begins when Publications or Events is called, not when the loop over it begins, and subscribes its channel.
// It holds at most ChannelOptions.BufferMax events that nobody has taken; a reader that is slower than that is told
// with an error of code limit_exceeded, and may begin a new stream from the position it has. No stream delays another,
// nor the connection.
//
// # Errors
//
// What the server refuses, and what the client refuses in its place, is a [*realtime.Error] (errors.As) with a code of
// PROTOCOL.md section 9. After Close everything answers [ErrClosed].
//
// # Concurrency
//
// All methods may be called concurrently. One goroutine, started by New and ended by Close, owns the core; each line
// has two more while it exists, each handler (Handle) and each token being fetched one. Close ends and awaits all of
// them, so it must not be called from a callback of its own client; call it from a goroutine there.
// Callbacks of one handler are called one after another, in order; those of several handlers concurrently. A
// callback that panics is logged and disturbs nothing else (CLI-12); one that blocks delays only its own handler.
package client
