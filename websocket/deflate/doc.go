// Package deflate is the permessage-deflate extension (RFC 7692): its parameters
// as both sides negotiate them, and one message in, one message out.
//
// A [Conn] is what one connection has agreed, with the little it must remember
// between messages: nothing at all without context takeover. It is for one owner
// at a time. A [Pool] bounds the compressors of a process, each of which is
// about a megabyte; it is safe for concurrent use, and where none is free a
// message goes out as it is, which the protocol always allows.
//
// # Windows
//
// The window of Go's compressor cannot be made smaller than 32 KiB. Where the
// peer asks for 2^n bytes the compressor is started afresh every 2^n bytes, so
// that no distance can be larger: the agreement is kept to the byte.
//
// # Limits
//
// Inflating stops at one byte more than the limit, whatever the message would
// have become.
package deflate
