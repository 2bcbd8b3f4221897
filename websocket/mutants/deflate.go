package main

import "github.com/bellwire/bellwire/internal/mutation"

// deflateMutants break compression.
var deflateMutants = []mutation.Mutant{
	{
		Class: "VC-05", Fault: "what is inflated is limited afterwards",
		File: "deflate/inflate.go", Tests: "deflate",
		Old: "end := limit + 1",
		New: "end := int64(1 << 40)",
	},
	{
		Class: "CP-03", Fault: "what follows a last block is not looked at",
		File: "deflate/inflate.go", Tests: "deflate endpoint",
		Old: "if f.source.empty() {",
		New: "if true {",
	},
	{
		Class: "CP-03", Fault: "last blocks are not counted",
		File: "deflate/inflate.go", Tests: "deflate",
		Old: "f.blocks == finalBlocksMax",
		New: "f.blocks == 1<<30",
	},
	{
		Class: "CP-02", Fault: "a message that was given up goes on where it was",
		File: "deflate/inflate.go", Tests: "deflate endpoint",
		Old: "f.blocks, f.inBlock = 0, false",
		New: "",
	},
	{
		Class: "7692 7.1.2", Fault: "a small window is agreed to and not kept",
		File: "deflate/pool.go", Tests: "deflate",
		Old: "if bits == windowBitsMax {",
		New: "if bits <= windowBitsMax {",
	},
	{
		Class: "7692 7.1.2", Fault: "8 bits are refused",
		File: "deflate/params.go", Tests: "deflate",
		Old: "windowBitsMin = 8",
		New: "windowBitsMin = 9",
	},
	{
		Class: "7692 7.1", Fault: "duplicates pass",
		File: "deflate/params.go", Tests: "deflate",
		Old: "if earlier.Name == param.Name {",
		New: "if earlier.Name == param.Name && false {",
	},
	{
		Class: "7692 7.1.1", Fault: "a context is kept although it was given up",
		File: "deflate/inflate.go", Tests: "deflate",
		Old: "if !c.receiveTakeover || len(inflated) == 0 {",
		New: "if len(inflated) == 0 {",
	},
	{
		Class: "7692 7.2.3.2", Fault: "a message that was not sent compressed is in the context",
		File: "deflate/conn.go", Tests: "deflate",
		Old: "w.reset() // the peer will not have this message in its context",
		New: "",
	},
	{
		Class: "CP-07", Fault: "compressors are not bounded",
		File: "deflate/pool.go", Tests: "deflate",
		Old: "if count.Add(1) > max {",
		New: "if count.Add(1) > 1<<20 {",
	},
	{
		Class: "7692 7.1.2", Fault: "a message for many goes to a peer with a small window",
		File: "deflate/conn.go", Tests: "deflate endpoint",
		Old: "if payloadBytes > 1<<c.sendBits && c.sendBits < windowBitsMax {",
		New: "if false {",
	},
	{
		Class: "7692 7.1.1", Fault: "a message for many is not in the context, and the next one refers to what was before it",
		File: "deflate/conn.go", Tests: "deflate interop:TestPreparedBetweenMessages",
		Old: "\tif c.kept != nil {\n\t\tc.kept.reset()\n\t}\n\treturn true",
		New: "\treturn true",
	},
	{
		Class: "VC-07", Fault: "a decompressor starts as the last message left it",
		File: "deflate/inflate.go", Tests: "deflate endpoint",
		Old: "return resetter.Reset(&f.source, context)",
		New: "if len(context) == 0 {\n\t\treturn nil\n\t}\n\treturn resetter.Reset(&f.source, context)",
	},
	{
		Class: "7692 7.1.1", Fault: "the context holds one message alone",
		File: "deflate/inflate.go", Tests: "deflate endpoint",
		Old: "keep := min(len(c.window), windowBytes-len(inflated))",
		New: "keep := 0",
	},
	{
		Class: "VC-07", Fault: "window bits may have leading zeros",
		File: "deflate/params.go", Tests: "deflate endpoint",
		Old: "param.HasValue && param.Value == strconv.Itoa(bits)",
		New: `param.HasValue && strings.TrimLeft(param.Value, "0") == strconv.Itoa(bits)`,
	},
	{
		Class: "VC-07", Fault: "a flag may have a value",
		File: "deflate/params.go", Tests: "deflate endpoint",
		Old: "if param.HasValue {\n\t\treturn errValue",
		New: "if param.HasValue && param.Value == \"\" {\n\t\treturn errValue",
	},
	{
		Class: "VC-07", Fault: "unknown parameters pass",
		File: "deflate/params.go", Tests: "deflate endpoint",
		Old: "err = errUnknown",
		New: "err = nil",
	},
	{
		Class: "7692 7.1.2", Fault: "the window that a client asks for is not agreed to",
		File: "deflate/params.go", Tests: "deflate endpoint",
		Old: "ServerMaxWindowBits:     offer.ServerMaxWindowBits,",
		New: "",
	},
	{
		Class: "7692 7.1.1", Fault: "a server may keep the context that it was asked to give up",
		File: "deflate/params.go", Tests: "deflate endpoint",
		Old: "case offer.ServerNoContextTakeover && !agreed.ServerNoContextTakeover:",
		New: "case offer.ServerNoContextTakeover && false:",
	},
	{
		Class: "7692 7.1.2", Fault: "a server may name a window that was not offered",
		File: "deflate/params.go", Tests: "deflate endpoint",
		Old: "case offer.ClientMaxWindowBits == 0 && agreed.ClientMaxWindowBits != 0:",
		New: "case false:",
	},
	{
		Class: "9.1", Fault: "an answer may name the extension twice",
		File: "deflate/params.go", Tests: "deflate endpoint",
		Old: "if len(answer) > 1 {",
		New: "if len(answer) > 2 {",
	},
	{
		Class: "7692 7.1.1", Fault: "a client does not keep to the takeover that it gave up itself",
		File: "deflate/params.go", Tests: "deflate endpoint",
		Old: "agreed.ClientNoContextTakeover = agreed.ClientNoContextTakeover || offer.ClientNoContextTakeover",
		New: "",
	},
	{
		Class: "7692 7.1.1", Fault: "a server mixes up the two directions of takeover",
		File: "deflate/conn.go", Tests: "deflate endpoint",
		Old: "c.sendTakeover, c.receiveTakeover = c.receiveTakeover, c.sendTakeover",
		New: "",
	},
	{
		Class: "7692 7.2.1", Fault: "the end of a compressed message is not cut off",
		File: "deflate/pool.go", Tests: "deflate endpoint",
		Old: "return out[:len(out)-len(flushBytes)]",
		New: "return out",
	},
	{
		Class: "CP-10", Fault: "what compression makes larger is sent all the same",
		File: "deflate/conn.go", Tests: "deflate endpoint",
		Old: "worth := len(out)-len(dst) < len(payload)",
		New: "worth := len(out) > 0",
	},
	{
		Class: "CP-07", Fault: "kept compressors are never given back",
		File: "deflate/pool.go", Tests: "deflate endpoint",
		Old: "func (p *Pool) releaseKept(w *writer) {\n\tp.kept.Add(-1)",
		New: "func (p *Pool) releaseKept(w *writer) {",
	},
	{
		Class: "CP-07", Fault: "compressors are never given back",
		File: "deflate/pool.go", Tests: "deflate endpoint",
		Old: "func (p *Pool) release(w *writer) {\n\tp.inUse.Add(-1)",
		New: "func (p *Pool) release(w *writer) {",
	},
}
