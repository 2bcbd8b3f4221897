// Package safego starts goroutines that somebody owns.
//
// A [Group] belongs to one owner, for example a server and its connections. Each goroutine it starts has
// a task name, a function and, where it serves something, the function that closes what it served:
//
//	group := safego.Group{Logger: logger, OnPanic: metrics.Panicked}
//	group.Go("connection", func() { serve(conn) }, func() { conn.Close() })
//	...
//	err := group.Wait(ctx)
//
// A panic ends its own goroutine only: it is recovered, counted, logged with its stack, and what the
// goroutine served is closed, so that a peer is not left with a line nobody reads.
//
// Concurrency: all methods may be called concurrently, Go also from inside a task. Wait waits for
// whatever runs; the owner first stops what starts new tasks.
//
// Invariants: the close function runs exactly once, after the task's function has ended in any way, and
// before Wait can see the task as ended.
package safego
