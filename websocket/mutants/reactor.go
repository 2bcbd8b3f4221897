package main

import "github.com/bellwire/bellwire/internal/mutation"

// reactorMutants break what the reactor adds to the endpoint: whose turn it is, what waits, and how a line ends.
var reactorMutants = []mutation.Mutant{
	{
		Class: "fairness", Fault: "a connection is read on before its neighbours",
		File: "reactor/ahead.go", Tests: "reactor:TestATurnIsOneBuffer",
		Old: "\t\tc.unread = true\n\t\tl.unread = append(l.unread, a.reference)\n",
		New: "\t\tl.readable(c, true)\n",
	},
	{
		Class: "fairness", Fault: "what is not read to its end is forgotten by who reads ahead",
		File: "reactor/ahead.go", Tests: "reactor:TestATurnIsOneBuffer",
		Old: "\tif a.more {\n",
		New: "\tif false {\n",
	},
	{
		Class: "VC-13", Fault: "lines that are read ahead share the memory of what they sent",
		File: "reactor/ahead.go", Tests: "reactor:TestLinesThatAreReadyTogether",
		Old: "\t\troom = room[n:]\n",
		New: "",
	},
	{
		Class: "FL-02", Fault: "what is read ahead is acted on only when all have been read",
		File: "reactor/ahead.go", Tests: "reactor:TestLinesThatAreReadyTogether",
		Old: " || used >= len(l.input)/2",
		New: "",
	},
	{
		Class: "fairness", Fault: "what is not read to its end is forgotten",
		File: "reactor/line.go", Tests: "reactor:TestATurnIsOneBuffer",
		Old: "l.unread = append(l.unread, reference{c.slot, c.generation})",
		New: "",
	},
	{
		Class: "VC-13", Fault: "a slot is found whoever lives in it",
		File: "reactor/table.go", Tests: "reactor:TestAConnThatHasGoneReachesNobody",
		Old: "c.generation == generation && c.state != free",
		New: "c.state != free",
	},
	{
		Class: "VC-13", Fault: "a slot that is given away keeps its generation",
		File: "reactor/table.go", Tests: "reactor:TestAConnThatHasGoneReachesNobody",
		Old: "generation: c.generation + 1",
		New: "generation: max(c.generation, 1)",
	},
	{
		Class: "VC-13", Fault: "a connection that has gone is still in its groups",
		File: "reactor/line.go", Tests: "reactor:TestAConnThatHasGoneReachesNobody",
		Old: "\tl.leaveAll(c)\n",
		New: "",
	},
	{
		Class: "VC-14", Fault: "a peer that takes nothing is waited for",
		File: "reactor/line.go", Tests: "reactor:TestWriteTimeout",
		Old: "c.backlog.due = l.now + c.settings.writeTimeout\n",
		New: "c.backlog.due = l.now + 1000*c.settings.writeTimeout\n",
	},
	{
		Class: "FL-02", Fault: "a peer that takes its output slowly is given up all the same",
		File: "reactor/line.go", Tests: "reactor:TestALateLineIsJudgedByItsProgress",
		Old: " && !l.progresses(c)",
		New: "",
	},
	{
		Class: "VC-14", Fault: "the queue of a peer has no limit",
		File: "reactor/line.go", Tests: "reactor:TestSlowReaderIsGivenUp",
		Old: "if len(q.queue)-q.sent+len(b) > l.reactor.config.QueueBytesMax {",
		New: "if false {",
	},
	{
		Class: "VC-14", Fault: "a peer is read although it takes no answers",
		File: "reactor/line.go", Tests: "reactor:TestReadingStopsWhileOutputWaits",
		Old: "len(q.queue)-q.sent > readPauseBytes || ",
		New: "",
	},
	{
		Class: "FL-09", Fault: "what a socket has taken is sent again",
		File: "reactor/line.go", Tests: "reactor:TestPartialWrites",
		Old: "l.unsent(c, b[n:], err)",
		New: "l.unsent(c, b, err)",
	},
	{
		Class: "FL-09", Fault: "new output overtakes what waits",
		File: "reactor/line.go", Tests: "reactor:TestPartialWrites|TestABlockedLineGetsAFanOutInOrder",
		Old: "if c.backlog != nil && len(c.backlog.queue) > 0 {",
		New: "if false {",
	},
	{
		Class: "FL-09", Fault: "a fan-out overtakes what waits",
		File: "reactor/fanout.go", Tests: "reactor:TestABlockedLineGetsAFanOutInOrder",
		Old: "if c.blocked() {",
		New: "if false {",
	},
	{
		Class: "FL-11", Fault: "a line that has ended is sent a fan-out",
		File: "reactor/loop.go", Tests: "reactor:TestALineThatEndsDuringAFanOut",
		Old: "\t\tl.takeRun(c)\n",
		New: "",
	},
	{
		Class: "7.1.1", Fault: "a line is dropped under the close frame",
		File: "reactor/line.go", Tests: "conformance:TestCloseFrameArrives",
		Old: "if last.Status == frame.StatusAbnormal {",
		New: "if last.Status == frame.StatusAbnormal || true {",
	},
	{
		Class: "7.1.1", Fault: "a peer that was failed stays as long as it likes",
		File: "reactor/line.go", Tests: "conformance:TestPeerStays",
		Old: "c.backlog.due = l.now + c.settings.config.CloseTimeout",
		New: "c.backlog.due = l.now + 1000*c.settings.config.CloseTimeout",
	},
	{
		Class: "7.1.1", Fault: "the end of the stream is not sent after the close frame",
		File: "reactor/line.go", Tests: "conformance:TestEngineCloses",
		Old: "\tif len(c.backlog.queue) == 0 {\n\t\tshutdownWrite(c.fd)\n\t}\n",
		New: "",
	},
	{
		Class: "FL-11", Fault: "who comes while the reactor drains is served",
		File: "reactor/line.go", Tests: "reactor:TestDrainClosesNewcomers",
		Old: "if l.draining != nil {",
		New: "if false {",
	},
	{
		Class: "FL-11", Fault: "a drain ends before the last connection has",
		File: "reactor/population.go", Tests: "reactor:TestDrainClosesNewcomers",
		Old: "if p.count.CompareAndSwap(0, extinct) {",
		New: "if p.count.Swap(extinct) >= 0 {",
	},
	{
		Class: "FL-11", Fault: "a drain does not wait for who has an answer and no loop yet",
		File: "reactor/reactor.go", Tests: "reactor:TestDrainWaitsForThoseOnTheirWay",
		Old: "\tu, err := websocket.Upgrade(w, req, opts)\n\tif err != nil {\n\t\tr.population.leave()\n\t\treturn err\n\t}\n",
		New: "\tr.population.leave()\n\tu, err := websocket.Upgrade(w, req, opts)\n\tif err != nil {\n\t\treturn err\n\t}\n\tr.population.count.Add(1)\n",
	},
	{
		Class: "FL-12", Fault: "a loop that was held up judges before it reads",
		File: "reactor/line.go", Tests: "reactor:TestAStoppedLoopGivesNobodyUp",
		Old: "\t\t\tl.readable(c, true)\n\t\t\tif c.broken",
		New: "\t\t\tif c.broken",
	},
	{
		Class: "FL-04", Fault: "a silent peer is never asked",
		File: "reactor/line.go", Tests: "reactor:TestSilentPeerIsPingedAndGivenUp",
		Old: "\t\tc.endpoint.Tick(l.now)\n",
		New: "",
	},
	{
		Class: "G9", Fault: "a descriptor is left open",
		File: "reactor/line.go", Tests: "reactor:TestManyLivesLeaveNothing",
		Old: "\tcloseDescriptor(c.fd)\n",
		New: "",
	},
	{
		Class: "VC-13", Fault: "a buffer is given back while it waits to be sent",
		File: "reactor/line.go", Tests: "reactor:TestPartialWrites", Race: true,
		Old: "q.queue = append(q.queue, b...)",
		New: "if q.queue = append(q.queue, b...); q.sent == 0 && len(q.queue) == len(b) {\n\t\tq.queue = b\n\t}",
	},
	{
		Class: "FL-14", Fault: "a line whose answer could not be written is taken for one that waits for a request",
		File: "reactor/door.go", Tests: "reactor:TestADoorOutlivesItsProgram",
		Old: "\tc.state = lingering // and greeting no more: the ticket is the program's now\n",
		New: "",
	},
	{
		Class: "FL-14", Fault: "the program is told twice of an end under which the socket fails",
		File: "reactor/line.go", Tests: "reactor:TestEverySystemCallFails", Race: true,
		Old: "if c.broken {\n\t\treturn\n\t}\n\tif last.Status",
		New: "if c.broken {\n\t\tc.state = open\n\t\treturn\n\t}\n\tif last.Status",
	},
	{
		Class: "FL-14", Fault: "a line that epoll does not watch as it should is kept",
		File: "reactor/line.go", Tests: "reactor:TestEverySystemCallFails", Race: true,
		Old: "l.doom(c, err) // it would never be heard of again",
		New: "_ = err",
	},
	{
		Class: "FL-14", Fault: "the program of a door takes the loop with it",
		File: "reactor/door.go", Tests: "reactor:TestADoorOutlivesItsProgram",
		Old: "\tdefer l.doorRecovered(line)\n",
		New: "",
	},
	{
		Class: "FL-15", Fault: "the next ping waits as long as a pong may",
		File: "reactor/line.go", Tests: "conformance:TestSilentPeers",
		Old: "due = min(due, l.now+interval)",
		New: "_ = interval",
	},
}
