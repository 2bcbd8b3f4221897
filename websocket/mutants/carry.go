package main

import "github.com/bellwire/bellwire/internal/mutation"

// carryMutants break what a program does with the loops: tasks that are carried to them, and frames that they pass.
var carryMutants = []mutation.Mutant{
	{
		Class: "FL-09", Fault: "a line on which output waits takes more",
		File: "reactor/carry.go", Tests: "reactor:TestAPeerThatReadsNothingBlocksItsLineAlone",
		Old: "!line.broken && !line.blocked() &&",
		New: "!line.broken &&",
	},
	{
		Class: "VC-13", Fault: "what is sent to a connection that has gone reaches who has come after it",
		File: "reactor/carry.go", Tests: "reactor:TestWhatIsDoneToAConnectionThatHasGoneDoesNothing",
		Old: "\tline := l.own.table.find(c.slot, c.generation)\n\tif line == nil || line.state != open {\n\t\treturn websocket.ErrClosed\n",
		New: "\tline := l.own.table.at(c.slot)\n\tif line == nil || line.state != open {\n\t\treturn websocket.ErrClosed\n",
	},
	{
		Class: "VC-15", Fault: "a task that panics takes its loop along",
		File: "reactor/carry.go", Tests: "reactor:TestTasksAreRunInOrderAndAfterAPanicToo",
		Old: "if cause := recover(); cause != nil {",
		New: "if cause := any(nil); cause != nil {",
	},
	{
		Class: "VC-14", Fault: "what is carried to a loop has no bound",
		File: "reactor/carry.go", Tests: "reactor:TestALoopThatIsBehindTakesOnlyWhatIsUrgent",
		Old: "return l.own.post(call{kind: callCarry, what: task, with: with}, bytes)",
		New: "return l.own.post(call{kind: callCarryUrgent, what: task, with: with}, 0)",
	},
	{
		Class: "VC-14", Fault: "what is urgent is lost when a loop is behind",
		File: "reactor/carry.go", Tests: "reactor:TestALoopThatIsBehindTakesOnlyWhatIsUrgent",
		Old: "return l.own.post(call{kind: callCarryUrgent, what: task, with: with}, 0)",
		New: "return l.own.post(call{kind: callCarry, what: task, with: with}, 0)",
	},
	{
		Class: "5.6", Fault: "a frame that is passed is always text",
		File: "reactor/carry.go", Tests: "reactor:TestAFrameIsOfItsType",
		Old: "frame.Header{Fin: true, Opcode: frame.Opcode(kind),",
		New: "frame.Header{Fin: true, Opcode: frame.Text,",
	},
	{
		Class: "7692 7", Fault: "a connection that compresses is passed what is not",
		File: "reactor/fanout.go", Tests: "reactor:TestAFrameIsOfItsType",
		Old: "c.lent || c.compresses ||",
		New: "c.lent ||",
	},
	{
		Class: "FL-09", Fault: "a part of the palette that does not follow is sent with what lies between",
		File: "reactor/fanout.go", Tests: "reactor:TestManyLinesWithPartsThatDoNotFollowEachOther|TestWhatATaskPassesAndSendsArrivesInOrder",
		Old: "if d.to == from {",
		New: "if d.to <= from {",
	},
	{
		Class: "FL-09", Fault: "what is passed overtakes what was sent in the turn",
		File: "reactor/fanout.go", Tests: "reactor:TestWhatATaskPassesAndSendsArrivesInOrder",
		Old: "|| c.lent || c.compresses",
		New: "|| c.compresses",
	},
	{
		Class: "VC-14", Fault: "answers wait for the rest of a message",
		File: "serve.go", Tests: ".:TestServeDoesNotWaitForTheRest",
		Old: "\tif err := c.flushGatheredLocked(ctx); err != nil {\n\t\treturn err\n\t}\n\treturn c.fillLocked(ctx)\n",
		New: "\treturn c.fillLocked(ctx)\n",
	},
	{
		Class: "FL-11", Fault: "the answers of a handler that fails are lost",
		File: "serve.go", Tests: ".:TestServeHandlerFails",
		Old: "\t\t\tt.Flush() // an error of it is kept as the end of the connection\n",
		New: "",
	},
	{
		Class: "FL-11", Fault: "a context that ends costs the connection",
		File: "serve.go", Tests: ".:TestServeContextEnds",
		Old: "\tif ended(ctx) != nil {\n\t\tctx = context.Background()\n\t}\n",
		New: "",
	},
	{
		Class: "VC-13", Fault: "others may read beside Serve",
		File: "serve.go", Tests: ".:TestServeReadsAlone",
		Old: "\tc.served = true\n",
		New: "",
	},
	{
		Class: "VC-13", Fault: "nobody may read after Serve",
		File: "serve.go", Tests: ".:TestServeContextEnds",
		Old: "\tc.served = false\n",
		New: "",
	},
	{
		Class: "VC-14", Fault: "answers of which there are too many are not sent",
		File: "serve.go", Tests: ".:TestServeGathersBounded",
		Old: "\tif err := c.flushGatheredLocked(ctx); err != nil {\n\t\treturn err\n\t}\n\treturn c.mayWriteLocked(ctx)\n",
		New: "\treturn c.mayWriteLocked(ctx)\n",
	},
}
