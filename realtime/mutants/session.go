package main

import "github.com/bellwire/bellwire/internal/mutation"

// sessionMutants break what a session makes of what the hub hands it: pass it, queue it, hold it, or leave it out.
var sessionMutants = []mutation.Mutant{
	{
		Class: "reordered", Fault: "a publication overtakes what is queued",
		File: "session/deliver.go", Tests: "session node",
		Old: "if ready && c.queue.isEmpty() && !c.queue.isFlying() {",
		New: "if ready && !c.queue.isFlying() {",
	},
	{
		Class: "reordered", Fault: "a publication overtakes what is being written",
		File: "session/deliver.go", Tests: "session node",
		Old: "if ready && c.queue.isEmpty() && !c.queue.isFlying() {",
		New: "if ready && c.queue.isEmpty() {",
	},
	{
		Class: "doubled", Fault: "what was replayed comes again",
		File: "session/deliver.go", Tests: "session node",
		Old: "case p.Epoch == s.epoch && p.Offset <= s.offset:",
		New: "case p.Epoch == s.epoch && p.Offset < s.offset:",
	},
	{
		Class: "lost", Fault: "a gap in a channel is not told",
		File: "session/deliver.go", Tests: "session node",
		Old: "case p.Epoch != s.epoch || p.Prev > s.offset:",
		New: "case p.Epoch != s.epoch:",
	},
	{
		Class: "doubled", Fault: "what was passed does not advance the position",
		File: "session/deliver.go", Tests: "session node",
		Old: "\t\tif p.Offset != 0 {\n\t\t\ts.offset = p.Offset\n\t\t}\n\t\treturn true\n",
		New: "\t\treturn true\n",
	},
	{
		Class: "lost", Fault: "what comes while a subscription joins is not held",
		File: "session/deliver.go", Tests: "session node",
		Old: "\t\tc.hold(s, d)\n",
		New: "",
	},
	{
		Class: "lost", Fault: "what could not be held is not read from the log",
		File: "session/deliver.go", Tests: "session node",
		Old: "h.lost = h.lost || isLogged\n",
		New: "_ = h.lost\n",
	},
	{
		Class: "LIV-6", Fault: "a slow subscription goes on with a gap",
		File: "session/deliver.go", Tests: "session node",
		Old: "\t\tc.endSubscription(s, realtime.CodeSlowSubscription, \"\")\n",
		New: "",
	},
}
