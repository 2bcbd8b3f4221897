package main

import "github.com/bellwire/bellwire/internal/mutation"

// driverMutants break Accept, Dial and Conn.
var driverMutants = []mutation.Mutant{
	{
		Class: "VC-11", Fault: "the mask is always the same",
		File: "dial.go", Tests: ".:TestMasksAreUnpredictable",
		Old: "key := binary.LittleEndian.Uint32(e.bytes[e.used:])",
		New: "key := binary.LittleEndian.Uint32(make([]byte, 4))",
	},
	{
		Class: "FR-17", Fault: "a message in part is handed out at the end",
		File: "read.go", Tests: ".:TestLineEnds conformance:TestCutIncoming|TestLineEnds",
		Old: "c.endpoint.ReceiveEOF()",
		New: "c.endpoint.Receive([]byte{0x88, 0x80, 0, 0, 0, 0}, instant())",
	},
	{
		Class: "7.1.1", Fault: "the line is dropped under the close frame",
		File: "close.go", Tests: ".:TestFailedPeerStays|TestAnsweredPeerStays conformance:TestCloseFrameArrives",
		Old: "if last.Status != frame.StatusAbnormal {",
		New: "if false {",
	},
	{
		Class: "7.1.5", Fault: "the peer's code is forgotten where it cannot be answered",
		File: "close.go", Tests: ".:TestPeerLeavesUnanswered",
		Old: "last.Status != frame.StatusAbnormal && !errors.Is(c.endErr, ErrClosed)",
		New: "false",
	},
	{
		Class: "VC-22", Fault: "a refused connection is kept",
		File: "accept.go", Tests: "conformance:TestHandshakeCatalogue",
		Old: `h.Set("Connection", "close")`,
		New: "",
	},
	{
		Class: "FR-24", Fault: "a client reads answers without bound",
		File: "dial.go", Tests: ".:TestHostileAnswers",
		Old: "N: int64(cmp.Or(d.opts.Limits.ResponseBytes, responseBytesDefault))",
		New: "N: 1 << 40",
	},
	{
		Class: "HS-21", Fault: "what came in the packet of the request is lost",
		File: "accept.go", Tests: "conformance:TestFramesBehindTheRequest",
		Old: "return line, bytes.Clone(first), nil",
		New: "return line, bytes.Clone(first[:0]), nil",
	},
	{
		Class: "VC-21", Fault: "a handshake outlives its context",
		File: "dial.go", Tests: ".:TestDialContextEnds|TestProxySilent",
		Old: "stop := context.AfterFunc(ctx, func() { line.SetDeadline(longAgo) })",
		New: "stop := context.AfterFunc(ctx, func() {})",
	},
	{
		Class: "HS-21", Fault: "what came in the packet of the answer is lost",
		File: "dial.go", Tests: ".:TestFramesBehindTheAnswer",
		Old: "return bytes.Clone(first)\n",
		New: "return first[:0]\n",
	},
	{
		Class: "3", Fault: "a URL may have a fragment",
		File: "redirect.go", Tests: ".:TestDialMistakes",
		Old: `case u.Fragment != "":`,
		New: "case false:",
	},
	{
		Class: "5.5.3", Fault: "a pong answers only the ping that it belongs to",
		File: "ping.go", Tests: ".:TestPing",
		Old: "if p.id > id {",
		New: "if p.id != id {",
	},
	{
		Class: "VC-13", Fault: "a message that is handed out lies in memory that is used again",
		File: "read.go", Tests: ".:TestRead", Race: true,
		Old: "append(buf[:0], event.Payload...)",
		New: "event.Payload",
	},
	{
		Class: "VC-11", Fault: "large messages of a client go out unmasked",
		File: "write.go", Tests: ".:TestWriteLarge|TestMaskingCopies",
		Old: "if len(payload) > copyBytesMax && c.endpoint.CanSendHead(len(payload)) {",
		New: "if len(payload) > copyBytesMax {",
	},
	{
		Class: "8.1", Fault: "a text sent in parts may end inside a character",
		File: "writer.go", Tests: ".:TestWriter",
		Old: "if w.text && !w.utf8.Complete() {",
		New: "if w.text && false {",
	},
	{
		Class: "VC-14", Fault: "a peer that reads nothing is waited for",
		File: "flush.go", Tests: ".:TestWriteTimeout conformance:TestPeerNeverReads",
		Old: "c.writeArmed = now + c.writeTimeout + c.writeTimeout/4",
		New: "c.writeArmed = now + 100*c.writeTimeout",
	},
	{
		Class: "7.1.1", Fault: "a close frame is written without bound",
		File: "close.go", Tests: "interop:TestCloseEnds",
		Old: "ctx, cancel := context.WithTimeout(context.Background(), c.closeTimeout)",
		New: "ctx, cancel := context.WithTimeout(context.Background(), 1000*c.closeTimeout)",
	},
	{
		Class: "FL-09", Fault: "what a socket did not take is sent from its beginning",
		File: "flush.go", Tests: ".:TestSocketTakesParts",
		Old: "head = head[n:]",
		New: "head = head[0:]",
	},
	{
		Class: "FL-01", Fault: "a socket that takes nothing is waited for",
		File: "flush.go", Tests: ".:TestSocketPeerNeverReads",
		Old: "	c.armWriteLocked()\n	c.watchLocked(&c.writeWatch, ctx)",
		New: "	c.watchLocked(&c.writeWatch, context.Background())",
	},
	{
		Class: "FL-02", Fault: "a peer that takes its output slowly is given up by the driver all the same",
		File: "patience.go", Tests: ".:TestSlowAndSteadyIsKept",
		Old: "case change >= progressBytesMin && c.writeArmed != 0:",
		New: "case change < 0:",
	},
	{
		Class: "FL-02", Fault: "a peer that takes nothing is kept",
		File: "patience.go", Tests: ".:TestPeerThatStopsIsGivenUp",
		Old: "case change >= progressBytesMin && c.writeArmed != 0:",
		New: "case change >= 0:",
	},
	{
		Class: "FL-01", Fault: "a peer that reads nothing is waited for to be told of the end of TLS",
		File: "close.go", Tests: ".:TestEndDoesNotWait",
		Old: "line = secured.NetConn()",
		New: "line = secured",
	},
	{
		Class: "FL-01", Fault: "a context that ends between two pieces of a message is forgotten",
		File: "flush.go", Tests: ".:TestContextEndsBetweenPieces",
		Old: "if err := ended(ctx); err != nil { // whose",
		New: "if err := error(nil); err != nil { // whose",
	},
	{
		Class: "5.5.3", Fault: "a ping is answered with the next message",
		File: "read.go", Tests: ".:TestPingsAreAnsweredBetweenMessages",
		Old: "\tcase endpoint.None:\n\t\tc.flushControlLocked()\n",
		New: "\tcase endpoint.None:\n",
	},
	{
		Class: "VC-14", Fault: "answers gather without bound",
		File: "serve.go", Tests: ".:TestServeGathersBounded",
		Old: "gathered+payloadBytes <= c.gatherBytesMax()",
		New: "gathered < 1<<30",
	},
	{
		Class: "5.4", Fault: "an answer stands inside a message that is sent in parts",
		File: "serve.go", Tests: ".:TestServeWaitsForWriter",
		Old: "case !c.writing.taken && (",
		New: "case true || (",
	},
	{
		Class: "VC-13", Fault: "a handler's payload is read over while it runs",
		File: "close.go", Tests: ".:TestServeAndClose", Race: true,
		Old: "	if c.served {\n		return nil\n	}\n",
		New: "	c.reading.giveBack()\n	c.served = false\n",
	},
	{
		Class: "FR-24", Fault: "redirects are followed without bound",
		File: "redirect.go", Tests: ".:TestRedirects",
		Old: "followed >= h.opts.RedirectsMax {",
		New: "followed >= h.opts.RedirectsMax+1 {",
	},
	{
		Class: "FR-24", Fault: "a redirect takes the caller's secrets to another host",
		File: "redirect.go", Tests: ".:TestRedirectsKeepSecrets",
		Old: "if strings.EqualFold(from.Host, to.Host) {",
		New: "if strings.EqualFold(from.Hostname(), to.Hostname()) {",
	},
	{
		Class: "FR-24", Fault: "a redirect leads from wss to ws",
		File: "redirect.go", Tests: ".:TestRedirectsOverTLS",
		Old: "case wasSecure && !secure:",
		New: "case secure && !wasSecure:",
	},
	{
		Class: "FR-24", Fault: "a host passes under a name that the caller has given to another",
		File: "redirect.go", Tests: ".:TestRedirectsOverTLS",
		Old: `config.ServerName = ""`,
		New: "",
	},
}
