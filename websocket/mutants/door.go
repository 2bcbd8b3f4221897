package main

import "github.com/bellwire/bellwire/internal/mutation"

// doorMutants break what the reactor takes from a listener itself: who may come in, what a head is, and what is handed over.
var doorMutants = []mutation.Mutant{
	{
		Class: "HS-03", Fault: "a loop waits although connections may be left to accept",
		File: "reactor/loop.go", Tests: "reactor:TestADoorTakesAllThatWait",
		Old: "if n == 0 && len(l.unread)",
		New: "if n < 64 && len(l.unread)",
	},
	{
		Class: "VC-22", Fault: "a head is taken before it has come whole",
		File: "reactor/head.go", Tests: "reactor:TestEveryPrefixOfAHeadIsLeftToOthers",
		Old: "if end < 0 {\n\t\treturn nil, 0, false\n\t}\n",
		New: "if end < 0 {\n\t\tend = max(len(b)-4, 0)\n\t}\n",
	},
	{
		Class: "VC-22", Fault: "a handshake may bring a body",
		File: "reactor/head.go", Tests: "reactor:TestWhatIsNotPlainIsLeftToOthers",
		Old: `case "Content-Length", "Transfer-Encoding", "Trailer", "Expect":`,
		New: `case "Trailer":`,
	},
	{
		Class: "VC-22", Fault: "of two Hosts the last one counts",
		File: "reactor/head.go", Tests: "reactor:TestWhatIsNotPlainIsLeftToOthers",
		Old: `if host != "" || !isPlainHost(value) {`,
		New: `if !isPlainHost(value) {`,
	},
	{
		Class: "VC-22", Fault: "a head needs no Host",
		File: "reactor/head.go", Tests: "reactor:TestWhatIsNotPlainIsLeftToOthers",
		Old: `return host, host != ""`,
		New: `return host, true`,
	},
	{
		Class: "VC-22", Fault: "a name may have a space before its colon",
		File: "reactor/head.go", Tests: "reactor:TestWhatIsNotPlainIsLeftToOthers",
		Old: "|| !isToken(name) ||",
		New: "|| !isToken(strings.TrimRight(name, \" \")) ||",
	},
	{
		Class: "VC-22", Fault: "a value may hold a carriage return",
		File: "reactor/head.go", Tests: "reactor:TestWhatIsNotPlainIsLeftToOthers",
		Old: `c != '\t' && (c < ' ' || c >= 0x7f)`,
		New: `c != '\t' && c != '\r' && (c < ' ' || c >= 0x7f)`,
	},
	{
		Class: "VC-22", Fault: "a target may name another host",
		File: "reactor/head.go", Tests: "reactor:TestWhatIsNotPlainIsLeftToOthers",
		Old: ` || strings.HasPrefix(target, "//") {`,
		New: ` {`,
	},
	{
		Class: "VC-22", Fault: "fields have no bound",
		File: "reactor/head.go", Tests: "reactor:TestWhatIsNotPlainIsLeftToOthers",
		Old: "|| fields > fieldsMax ||",
		New: "||",
	},
	{
		Class: "VC-13", Fault: "fields of one head stand in the next",
		File: "reactor/head.go", Tests: "reactor:TestNothingOfAHeadIsInTheNext",
		Old: "\tclear(h.header)\n",
		New: "",
	},
	{
		Class: "VC-13", Fault: "fields that share memory run into each other",
		File: "reactor/head.go", Tests: "reactor:TestAPlainHeadIsReadAsNetHTTPDoes|TestNothingOfAHeadIsInTheNext",
		Old: "h.values[last-1 : last : last]",
		New: "h.values[last-1 : last]",
	},
	{
		Class: "HS-21", Fault: "what came in the packet of the request is lost on a loop",
		File: "reactor/door.go", Tests: "reactor:TestADoorServesHandshakesAndWhatComesWithThem",
		Old: "receive(c.fd, l.input[:length]); err != nil || taken != length {",
		New: "receive(c.fd, l.input[:got]); err != nil || taken != got {",
	},
	{
		Class: "HS-21", Fault: "what came with the request is not looked at until more comes",
		File: "reactor/door.go", Tests: "reactor:TestWhatComesBehindAHandshakeIsReadWithIt",
		Old: "if c.lives() && got > length {",
		New: "if false {",
	},
	{
		Class: "VC-25", Fault: "a door serves any path",
		File: "reactor/door.go", Tests: "reactor:TestADoorHandsOverWhatItDoesNotServe",
		Old: "request.URL.Path == d.Path && ",
		New: "",
	},
	{
		Class: "VC-25", Fault: "a path is compared as it is unescaped",
		File: "reactor/door.go", Tests: "reactor:TestADoorHandsOverWhatItDoesNotServe",
		Old: `	if request.URL.RawPath != "" {
		return false
	}
`,
		New: "",
	},
	{
		Class: "VC-21", Fault: "a peer that says nothing stays",
		File: "reactor/door.go", Tests: "reactor:TestADoorTellsOfThoseThatLeaveOrSayNothing",
		Old: "l.wheel.put(&l.table, c, l.now+n.door.HeadTimeout)",
		New: "l.wheel.put(&l.table, c, l.now+1000000*n.door.HeadTimeout)",
	},
	{
		Class: "VC-21", Fault: "who is not admitted is kept open",
		File: "reactor/door.go", Tests: "reactor:TestADoorTurnsAwayWhomItDoesNotAdmit",
		Old: "if !l.admit(n) {\n\t\tl.reactor.population.leave()\n\t\tcloseDescriptor(n.fd)\n",
		New: "if !l.admit(n) {\n\t\tl.reactor.population.leave()\n",
	},
	{
		Class: "VC-14", Fault: "who is not admitted is counted for ever",
		File: "reactor/door.go", Tests: "reactor:TestADoorTurnsAwayWhomItDoesNotAdmit",
		Old: "if !l.admit(n) {\n\t\tl.reactor.population.leave()\n\t\tcloseDescriptor(n.fd)\n",
		New: "if !l.admit(n) {\n\t\tcloseDescriptor(n.fd)\n",
	},
	{
		Class: "VC-14", Fault: "a ticket does not come back from who leaves without a word",
		File: "reactor/door.go", Tests: "reactor:TestADoorTellsOfThoseThatLeaveOrSayNothing",
		Old: "\tn := c.data.(*newcomer)\n\tc.data = nil\n\tl.tellGone(n)\n",
		New: "\tc.data = nil\n",
	},
	{
		Class: "VC-14", Fault: "without descriptors accepting spins",
		File: "reactor/door.go", Tests: "reactor:TestADoorBacksOffWithoutDescriptors",
		Old: "\t\t\tl.poller.removeListener(e.fd)\n",
		New: "",
	},
	{
		Class: "FL-11", Fault: "after a shortage nobody is accepted any more",
		File: "reactor/door.go", Tests: "reactor:TestADoorBacksOffWithoutDescriptors",
		Old: "e.again != 0 && l.now >= e.again {",
		New: "false {",
	},
	{
		Class: "FL-11", Fault: "who comes to a loop that drains is waited for",
		File: "reactor/door.go", Tests: "reactor:TestALoopThatDrainsGreetsNobody",
		Old: "if l.draining != nil {\n\t\tl.turnAway(n)\n\t\treturn\n\t}\n",
		New: "",
	},
	{
		Class: "VC-22", Fault: "a refused connection is kept by a loop",
		File: "reactor/visit.go", Tests: "reactor:TestADoorRefusesWithAWholeAnswerAndCloses",
		Old: "Request: request, Close: true,",
		New: "Request: request, Close: false,",
	},
	{
		Class: "VC-22", Fault: "the end of the stream does not follow a refusal",
		File: "reactor/door.go", Tests: "reactor:TestARefusalEndsTheStream",
		Old: "\tshutdownWrite(c.fd)\n\tl.wheel.put(&l.table, c, c.backlog.due)\n",
		New: "\tl.wheel.put(&l.table, c, c.backlog.due)\n",
	},
	{
		Class: "VC-22", Fault: "the line of a refusal stays",
		File: "reactor/door.go", Tests: "reactor:TestARefusalEndsTheStream",
		Old: "c.backlog = &backlog{due: l.now + refusalLinger}",
		New: "c.backlog = &backlog{due: l.now + 1000*refusalLinger}",
	},
	{
		Class: "VC-14", Fault: "a refusal has no bound",
		File: "reactor/visit.go", Tests: "reactor:TestADoorRefusesWithAWholeAnswerAndCloses",
		Old: "if len(v.body)+len(b) > refusalBytesMax {",
		New: "if false {",
	},
	{
		Class: "VC-15", Fault: "a handler that panics takes its loop along",
		File: "reactor/door.go", Tests: "reactor:TestADoorRefusesWithAWholeAnswerAndCloses",
		Old: "\t\tif cause := recover(); cause != nil {\n\t\t\tl.reactor.config.Logger.Error(\"handler panicked\"",
		New: "\t\tif cause := any(nil); cause != nil {\n\t\t\tl.reactor.config.Logger.Error(\"handler panicked\"",
	},
}
