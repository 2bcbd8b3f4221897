package main

// driverMutants break Accept, Dial and Conn.
var driverMutants = []mutant{
	{
		class: "VC-11", fault: "the mask is always the same",
		file: "dial.go", tests: ".:TestMasksAreUnpredictable",
		old: "key := binary.LittleEndian.Uint32(e.bytes[e.used:])",
		new: "key := binary.LittleEndian.Uint32(make([]byte, 4))",
	},
	{
		class: "FR-17", fault: "a message in part is handed out at the end",
		file: "read.go", tests: ".:TestLineEnds conformance:TestCutIncoming|TestLineEnds",
		old: "c.endpoint.ReceiveEOF()",
		new: "c.endpoint.Receive([]byte{0x88, 0x80, 0, 0, 0, 0}, instant())",
	},
	{
		class: "7.1.1", fault: "the line is dropped under the close frame",
		file: "close.go", tests: ".:TestFailedPeerStays|TestAnsweredPeerStays conformance:TestCloseFrameArrives",
		old: "if last.Status != frame.StatusAbnormal {",
		new: "if false {",
	},
	{
		class: "VC-22", fault: "a refused connection is kept",
		file: "accept.go", tests: "conformance:TestHandshakeCatalogue",
		old: `h.Set("Connection", "close")`,
		new: "",
	},
	{
		class: "FR-24", fault: "a client reads answers without bound",
		file: "dial.go", tests: ".:TestHostileAnswers",
		old: "N: int64(cmp.Or(d.opts.Limits.ResponseBytes, responseBytesDefault))",
		new: "N: 1 << 40",
	},
	{
		class: "HS-21", fault: "what came in the packet of the request is lost",
		file: "accept.go", tests: "conformance:TestFramesBehindTheRequest",
		old: "return line, bytes.Clone(first), nil",
		new: "return line, bytes.Clone(first[:0]), nil",
	},
	{
		class: "VC-21", fault: "a handshake outlives its context",
		file: "dial.go", tests: ".:TestDialContextEnds|TestProxySilent",
		old: "stop := context.AfterFunc(ctx, func() { line.SetDeadline(longAgo) })",
		new: "stop := context.AfterFunc(ctx, func() {})",
	},
	{
		class: "HS-21", fault: "what came in the packet of the answer is lost",
		file: "dial.go", tests: ".:TestFramesBehindTheAnswer",
		old: "return bytes.Clone(first)\n",
		new: "return first[:0]\n",
	},
	{
		class: "3", fault: "a URL may have a fragment",
		file: "dial.go", tests: ".:TestDialMistakes",
		old: `case u.Fragment != "":`,
		new: "case false:",
	},
	{
		class: "5.5.3", fault: "a pong answers only the ping that it belongs to",
		file: "ping.go", tests: ".:TestPing",
		old: "if p.id > id {",
		new: "if p.id != id {",
	},
	{
		class: "VC-13", fault: "a message that is handed out lies in memory that is used again",
		file: "read.go", tests: ".:TestRead", race: true,
		old: "append(buf[:0], event.Payload...)",
		new: "event.Payload",
	},
	{
		class: "VC-11", fault: "large messages of a client go out unmasked",
		file: "write.go", tests: ".:TestWriteLarge|TestMaskingCopies|TestEcho",
		old: "if len(payload) > copyBytesMax && c.endpoint.CanSendHead(len(payload)) {",
		new: "if len(payload) > copyBytesMax {",
	},
	{
		class: "8.1", fault: "a text sent in parts may end inside a character",
		file: "writer.go", tests: ".:TestWriter",
		old: "if w.text && !w.utf8.Complete() {",
		new: "if w.text && false {",
	},
	{
		class: "VC-14", fault: "a peer that reads nothing is waited for",
		file: "flush.go", tests: ".:TestWriteTimeout conformance:TestPeerNeverReads",
		old: "c.writeArmed = now + c.writeTimeout + c.writeTimeout/4",
		new: "c.writeArmed = now + 100*c.writeTimeout",
	},
	{
		class: "7.1.1", fault: "a close frame is written without bound",
		file: "close.go", tests: "interop:TestCloseEnds",
		old: "ctx, cancel := context.WithTimeout(context.Background(), c.closeTimeout)",
		new: "ctx, cancel := context.WithTimeout(context.Background(), 1000*c.closeTimeout)",
	},
	{
		class: "FL-09", fault: "what a socket did not take is sent from its beginning",
		file: "flush.go", tests: ".:TestSocketTakesParts",
		old: "head = head[n:]",
		new: "head = head[0:]",
	},
	{
		class: "FL-01", fault: "a socket that takes nothing is waited for",
		file: "flush.go", tests: ".:TestSocketPeerNeverReads",
		old: "	c.armWriteLocked()\n	c.watchLocked(&c.writeWatch, ctx)",
		new: "	c.watchLocked(&c.writeWatch, context.Background())",
	},
	{
		class: "VC-14", fault: "answers wait for the rest of a message",
		file: "flush.go", tests: ".:TestServeDoesNotWaitForTheRest",
		old: "return c.flushGatheredLocked(ctx)",
		new: "return nil",
	},
	{
		class: "VC-14", fault: "answers gather without bound",
		file: "serve.go", tests: ".:TestServeGathersBounded",
		old: "gathered+payloadBytes <= c.gatherBytesMax()",
		new: "gathered < 1<<30",
	},
	{
		class: "5.4", fault: "an answer stands inside a message that is sent in parts",
		file: "serve.go", tests: ".:TestServeWaitsForWriter",
		old: "case !c.writing.taken && (",
		new: "case true || (",
	},
	{
		class: "VC-13", fault: "a handler's payload is read over while it runs",
		file: "close.go", tests: ".:TestServeAndClose", race: true,
		old: "	if c.served {\n		return nil\n	}\n",
		new: "	c.reading.giveBack()\n	c.served = false\n",
	},
}
