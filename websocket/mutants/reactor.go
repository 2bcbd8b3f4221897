package main

// reactorMutants break what the reactor adds to the endpoint: whose turn it is, what waits, and how a line ends.
var reactorMutants = []mutant{
	{
		class: "fairness", fault: "a connection is read until it is dry",
		file: "reactor/line.go", tests: "reactor:TestATurnIsOneBuffer",
		old: "\t\t\tc.unread = true\n\t\t\tl.unread = append(l.unread, reference{c.slot, c.generation})\n\t\t\treturn\n",
		new: "\t\t\tend = true\n",
	},
	{
		class: "fairness", fault: "what is not read to its end is forgotten",
		file: "reactor/line.go", tests: "reactor:TestATurnIsOneBuffer",
		old: "l.unread = append(l.unread, reference{c.slot, c.generation})",
		new: "",
	},
	{
		class: "VC-13", fault: "a slot is found whoever lives in it",
		file: "reactor/table.go", tests: "reactor:TestAConnThatHasGoneReachesNobody",
		old: "c.generation == generation && c.state != free",
		new: "c.state != free",
	},
	{
		class: "VC-13", fault: "a slot that is given away keeps its generation",
		file: "reactor/table.go", tests: "reactor:TestAConnThatHasGoneReachesNobody",
		old: "generation: c.generation + 1",
		new: "generation: max(c.generation, 1)",
	},
	{
		class: "VC-13", fault: "a connection that has gone is still in its groups",
		file: "reactor/line.go", tests: "reactor:TestAConnThatHasGoneReachesNobody",
		old: "\tl.leaveAll(c)\n",
		new: "",
	},
	{
		class: "VC-14", fault: "a peer that takes nothing is waited for",
		file: "reactor/line.go", tests: "reactor:TestWriteTimeout",
		old: "c.backlog.due = l.now + c.settings.writeTimeout\n",
		new: "c.backlog.due = l.now + 1000*c.settings.writeTimeout\n",
	},
	{
		class: "FL-02", fault: "a peer that takes its output slowly is given up all the same",
		file: "reactor/line.go", tests: "reactor:TestSlowAndSteadyIsKept",
		old: " && !l.progresses(c)",
		new: "",
	},
	{
		class: "VC-14", fault: "the queue of a peer has no limit",
		file: "reactor/line.go", tests: "reactor:TestSlowReaderIsGivenUp",
		old: "if len(q.queue)-q.sent+len(b) > l.reactor.config.QueueBytesMax {",
		new: "if false {",
	},
	{
		class: "VC-14", fault: "a peer is read although it takes no answers",
		file: "reactor/line.go", tests: "reactor:TestReadingStopsWhileOutputWaits",
		old: "len(q.queue)-q.sent > readPauseBytes || ",
		new: "",
	},
	{
		class: "FL-09", fault: "what a socket has taken is sent again",
		file: "reactor/line.go", tests: "reactor:TestPartialWrites",
		old: "l.unsent(c, b[n:], err)",
		new: "l.unsent(c, b, err)",
	},
	{
		class: "FL-09", fault: "new output overtakes what waits",
		file: "reactor/line.go", tests: "reactor:TestPartialWrites",
		old: "if c.backlog != nil && len(c.backlog.queue) > 0 {",
		new: "if false {",
	},
	{
		class: "FL-09", fault: "a fan-out overtakes what waits",
		file: "reactor/fanout.go", tests: "reactor:TestABlockedLineGetsAFanOutInOrder",
		old: "if c.blocked() {",
		new: "if false {",
	},
	{
		class: "FL-11", fault: "a line that has ended is sent a fan-out",
		file: "reactor/loop.go", tests: "reactor:TestALineThatEndsDuringAFanOut",
		old: "\t\tl.takeRun(c)\n",
		new: "",
	},
	{
		class: "7.1.1", fault: "a line is dropped under the close frame",
		file: "reactor/line.go", tests: "conformance:TestCloseFrameArrives",
		old: "if last.Status == frame.StatusAbnormal {",
		new: "if last.Status == frame.StatusAbnormal || true {",
	},
	{
		class: "7.1.1", fault: "a peer that was failed stays as long as it likes",
		file: "reactor/line.go", tests: "conformance:TestPeerStays",
		old: "c.backlog.due = l.now + c.settings.config.CloseTimeout",
		new: "c.backlog.due = l.now + 1000*c.settings.config.CloseTimeout",
	},
	{
		class: "7.1.1", fault: "the end of the stream is not sent after the close frame",
		file: "reactor/line.go", tests: "conformance:TestEngineCloses",
		old: "\tif len(c.backlog.queue) == 0 {\n\t\tshutdownWrite(c.fd)\n\t}\n",
		new: "",
	},
	{
		class: "FL-11", fault: "who comes while the reactor drains is served",
		file: "reactor/line.go", tests: "reactor:TestDrainClosesNewcomers",
		old: "if l.draining != nil {",
		new: "if false {",
	},
	{
		class: "FL-11", fault: "a drain ends before the last connection has",
		file: "reactor/loop.go", tests: "reactor:TestDrainClosesNewcomers",
		old: "if l.draining != nil && l.table.used == 0 && !l.draining.told {",
		new: "if l.draining != nil && !l.draining.told {",
	},
	{
		class: "FL-04", fault: "a silent peer is never asked",
		file: "reactor/line.go", tests: "reactor:TestSilentPeerIsPingedAndGivenUp",
		old: "\t\tc.endpoint.Tick(l.now)\n",
		new: "",
	},
	{
		class: "G9", fault: "a descriptor is left open",
		file: "reactor/line.go", tests: "reactor:TestManyLivesLeaveNothing",
		old: "\tcloseDescriptor(c.fd)\n",
		new: "",
	},
	{
		class: "VC-13", fault: "a buffer is given back while it waits to be sent",
		file: "reactor/line.go", tests: "reactor:TestPartialWrites", race: true,
		old: "q.queue = append(q.queue, b...)",
		new: "if q.queue = append(q.queue, b...); q.sent == 0 && len(q.queue) == len(b) {\n\t\tq.queue = b\n\t}",
	},
}
