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
// # Which compressor
//
// compress/flate was compared with klauspost/compress 1.20 at their fastest level
// on messages of 200 bytes, 1 KiB and 16 KiB of JSON: the ratios are alike (3.3 to
// 3.6, 4.4, 5.8), the other takes 0.9, 0.9 and 0.65 of the time and 0.5 MB in place of
// 1.2 a compressor. Since their number is bounded and most messages are short, the engine
// stays with the standard library; level 6 costs 1.4 to 5 times the time for
// 5 % of size.
//
// # Limits
//
// Inflating stops at one byte more than the limit, whatever the message would
// have become.
package deflate
