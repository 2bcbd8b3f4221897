// Package core is the life of a Bellwire client as a pure state machine (PROTOCOL.md section 11).
//
// It decides when to open a line, what to say on it, what of the answers is new, when to try again and what the
// application is told. It opens nothing, reads no clock, starts no goroutine and draws no random numbers of its own: its
// owner, the package client, gives it every input together with the time, and carries out what it puts out.
//
//	c := core.New(core.Options{URLs: []string{"ws://127.0.0.1:8000/ws"}, Client: "mine/1", Random: rand.Float64})
//	c.Connect(now)
//	for _, output := range c.Drain() {
//		// *core.Open: open that line, then c.LineOpened(now, line) or c.LineClosed(now, line, code, reason)
//	}
//	deadline, ok := c.Deadline() // call c.Tick then
//
// The core of the TypeScript client has the same names, states and transitions. Both run spec/vectors/lifecycle, and
// what the clauses leave open is settled in spec/vectors/README.md.
//
// Concurrency: one owner at a time, no lock. Times are milliseconds of one clock that never goes back.
//
// Invariants: at most one line is live, and input of any other changes nothing. In Closed there is no deadline and nothing is
// sent. A held position moves only with the output that hands its publication over (CLI-6). Everything that
// grows has a limit: commands in number and bytes, keys and members of a subscription.
package core
