package main

import "github.com/bellwire/bellwire/internal/mutation"

// streamMutants break what the reactor does for lines on which only the server speaks.
var streamMutants = []mutation.Mutant{
	{
		Class: "SE-03", Fault: "what the peer of a stream sends is swallowed",
		File: "reactor/line.go", Tests: "reactor:TestAStreamEndsWhenItsPeerSpeaks",
		Old: "\t\t\tl.doom(c, ErrUnasked)\n\t\t\treturn\n",
		New: "",
	},
	{
		Class: "SE-03", Fault: "a request behind the one that asked for a stream is forgotten",
		File: "reactor/stream.go", Tests: "reactor:TestAPipelinedRequestIsNoStream",
		Old: "if buffered.Reader.Buffered() > 0 {",
		New: "if buffered.Reader.Buffered() > 1<<20 {",
	},
	{
		Class: "SE-05", Fault: "a quiet stream is not kept alive",
		File: "reactor/stream.go", Tests: "reactor:TestAStreamIsKeptAlive",
		Old: "\tl.scheduleStream(c)\n}\n\n// endStream",
		New: "}\n\n// endStream",
	},
	{
		Class: "SE-05", Fault: "a comment is put in the middle of an event",
		File: "reactor/stream.go", Tests: "reactor:TestACommentStandsBetweenEvents",
		Old: "c.state == streaming && !c.blocked() && len(keepAlive) > 0 {\n\t\tl.write(c, keepAlive)",
		New: "c.state == streaming && len(keepAlive) > 0 {\n\t\tsend(c.fd, keepAlive)",
	},
	{
		Class: "SE-06", Fault: "a stream that takes nothing is kept",
		File: "reactor/line.go", Tests: "reactor:TestAPeerThatDoesNotListenLosesItsStream",
		Old: "if !c.lives() || c.settings.writeTimeout <= 0 || left > q.untaken-progressBytesMin {",
		New: "if c.state == streaming {\n\t\tq.due = l.now + c.settings.writeTimeout\n\t\treturn true\n\t}\n\tif !c.lives() || c.settings.writeTimeout <= 0 || left > q.untaken-progressBytesMin {",
	},
	{
		Class: "SE-01", Fault: "what is written goes before what was passed",
		File: "reactor/stream.go", Tests: "reactor:TestAStreamIsWrittenAsItIsAndInOrder",
		Old: "if l.flush(c); len(b) > 0 {",
		New: "if len(b) > 0 {",
	},
	{
		Class: "SE-01", Fault: "a run is forgotten where another does not follow it",
		File: "reactor/fanout.go", Tests: "reactor:TestAStreamIsWrittenAsItIsAndInOrder",
		Old: "\t\tl.flush(c) // a buffer for each",
		New: "\t\tif c.state == open {\n\t\t\tl.flush(c)\n\t\t} // a buffer for each",
	},
	{
		Class: "SE-01", Fault: "the end of a stream cuts off what was passed",
		File: "reactor/stream.go", Tests: "reactor:TestAStreamThatEndsSaysAllBefore",
		Old: "if l.flush(c); c.broken {",
		New: "if c.broken {",
	},
}
