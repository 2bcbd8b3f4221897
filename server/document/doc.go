// Package document reads one JSON object strictly, field by field: the bodies of API requests, and the header and claims
// of tokens.
//
//	in := document.Parse(body, 32)
//	channel := in.Text("channel")
//	limit, _ := in.Integer("limit", 1, 1000)
//	if err := in.End(); err != nil { … } // names the first field that is wrong, missing, null, given twice or unknown
//
// Errors are sticky: after the first one every getter returns a zero value, so that a caller asks once, at the end. An
// Object belongs to one goroutine, and what it returns shares nothing with the text.
//
// It is for small documents of known shape. The commands of the native protocol are read by protocol/native/wire.
package document
