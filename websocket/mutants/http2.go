package main

import "github.com/bellwire/bellwire/internal/mutation"

// http2Mutants break the client of RFC 8441: what it says, what it believes, and what it waits for.
var http2Mutants = []mutation.Mutant{
	{
		Class: "8441 3", Fault: "a client does not wait for the offer",
		File: "http2/carrier.go", Tests: "http2:TestHostileServer",
		Old: "case !c.offered:",
		New: "case !c.settings:",
	},
	{
		Class: "9113 6.9.1", Fault: "a server may send beyond the window",
		File: "http2/receive.go", Tests: "http2:TestHostileServer",
		Old: "case int64(length) > s.receivable:",
		New: "case false:",
	},
	{
		Class: "8441 5", Fault: "a stream is left without a reset",
		File: "http2/stream.go", Tests: "http2:TestEndOfStream",
		Old: "reset := !s.isOver",
		New: "reset := s.isOver",
	},
	{
		Class: "8441 3", Fault: "the offer may be taken back",
		File: "http2/receive.go", Tests: "http2:TestHostileServer",
		Old: "if setting.Val == 0 && c.offered {",
		New: "if false {",
	},
	{
		Class: "9113 3.4", Fault: "a server need not begin with its settings",
		File: "http2/receive.go", Tests: "http2:TestHostileServer",
		Old: "!ok && !settings {",
		New: "!ok && settings && false {",
	},
	{
		Class: "9113 6.6", Fault: "a push is ignored",
		File: "http2/receive.go", Tests: "http2:TestHostileServer",
		Old: "return http2.ConnectionError(http2.ErrCodeProtocol) // RFC 9113 6.6: it was switched off",
		New: "return nil",
	},
	{
		Class: "9113 5.1", Fault: "frames of streams that never were are ignored",
		File: "http2/receive.go", Tests: "http2:TestHostileServer",
		Old: "if id%2 == 0 || id >= c.nextID {",
		New: "if false {",
	},
	{
		Class: "VC-22", Fault: "data may come before the head of the answer",
		File: "http2/receive.go", Tests: "http2:TestHostileServer",
		Old: "case s.response == nil || s.readErr != nil:",
		New: "case s.readErr != nil:",
	},
	{
		Class: "VC-22", Fault: "101 is an answer",
		File: "http2/receive.go", Tests: "http2:TestHostileServer",
		Old: " || status == http.StatusSwitchingProtocols {",
		New: " {",
	},
	{
		Class: "9113 6.9.1", Fault: "a window of the connection may overflow",
		File: "http2/receive.go", Tests: "http2:TestHostileServer",
		Old: "if c.window += int64(frame.Increment); c.window > windowMax {",
		New: "if c.window += int64(frame.Increment); false {",
	},
	{
		Class: "9113 6.8", Fault: "streams that a leaving server has not taken are waited for",
		File: "http2/receive.go", Tests: "http2:TestHostileServer",
		Old: "\t\tif id > frame.LastStreamID {\n",
		New: "\t\tif id == 0 {\n",
	},
	{
		Class: "9113 6.9", Fault: "the window of a stream is never given back",
		File: "http2/stream.go", Tests: "http2:TestWindowsOfTheClient",
		Old: "if s.owed += int64(n); s.owed >= windowBytes/2 && s.readErr == nil {",
		New: "if false {",
	},
	{
		Class: "9113 6.9", Fault: "the window of the connection is never given back",
		File: "http2/receive.go", Tests: "http2:TestWindowsOfTheClient",
		Old: "if c.owed += length; c.owed >= windowOwedMax {",
		New: "if c.owed += length; false {",
	},
	{
		Class: "9113 6.9", Fault: "data is sent beyond the window of the stream",
		File: "http2/stream.go", Tests: "http2:TestWindowsOfTheServer",
		Old: "min(int64(want), frameBytesMax, s.window, c.window)",
		New: "min(int64(want), frameBytesMax, c.window)",
	},
	{
		Class: "9113 6.9", Fault: "data is sent beyond the window of the connection",
		File: "http2/stream.go", Tests: "http2:TestWindowsOfTheServer",
		Old: "min(int64(want), frameBytesMax, s.window, c.window)",
		New: "min(int64(want), frameBytesMax, s.window)",
	},
	{
		Class: "9113 6.9.2", Fault: "a new first window does not change the streams that are open",
		File: "http2/receive.go", Tests: "http2:TestWindowsOfTheServer",
		Old: "if s.window += change; s.window > windowMax {",
		New: "if s.window += 0 * change; s.window > windowMax {",
	},
	{
		Class: "G9", Fault: "a connection outlives its last stream",
		File: "http2/carrier.go", Tests: "http2:TestConnectionEndsWithItsLastStream",
		Old: "\tif last {\n\t\tc.fail(net.ErrClosed)\n\t}\n",
		New: "\t_ = last\n",
	},
	{
		Class: "FR-24", Fault: "an answer's head has no bound",
		File: "http2/carrier.go", Tests: "http2:TestRefusals",
		Old: "\tc.framer.MaxHeaderListSize = headBytesMax\n",
		New: "",
	},
	{
		Class: "9113 8.2.2", Fault: "fields of the connection are sent on a stream",
		File: "http2/carrier.go", Tests: "http2:TestFieldsOfTheRequest",
		Old: `if name == ":protocol" || ofConnection(name) {`,
		New: `if name == ":protocol" {`,
	},
	{
		Class: "FR-24", Fault: "secrets enter the table of compressed fields",
		File: "http2/carrier.go", Tests: "http2:TestFieldsOfTheRequest",
		Old: `sensitive := name == "authorization" || name == "cookie" || name == "proxy-authorization"`,
		New: `sensitive := false`,
	},
}
