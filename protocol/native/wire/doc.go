// Package wire is the native protocol's messages as Go values, and their bytes in both framings: JSON and protobuf
// (PROTOCOL.md sections 1 to 6). Server and Go client share it.
//
// It knows no connection and decides nothing: who may do what, in which order, and what follows is the business of a
// session or a client. What it does decide is whether bytes are a message at all, and whether its fields are what the
// schema says.
//
// One side is strict, the other tolerant. [DecodeClient] is the server's: a field that is missing, null, of the wrong
// type, unknown, given twice or out of its limits refuses the message and names the field (MSG-5). [DecodeServer] is the
// client's: it ignores what it does not know (MSG-6).
//
//	for decoder := wire.DecodeClient(format, message); ; {
//		m, err := decoder.Next()
//		if err == io.EOF {
//			break
//		}
//		...
//	}
//
// Messages that a decoder returns share nothing with its input. Every count and length is compared with its limit before
// anything of that size is allocated. Functions may be called concurrently; one decoder belongs to one caller.
package wire
