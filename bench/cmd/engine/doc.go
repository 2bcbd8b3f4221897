// Command engine is a WebSocket server around one of several libraries, for measuring it.
//
//	engine NAME [LISTEN]
//
// It prints "listening PORT" and takes commands on standard input, each answered by "ok":
//
//	gc                        collect garbage and give memory back to the system
//	payload BYTES             nothing; the floor needs it
//	fan BYTES K COUNT MICROS  COUNT times, every MICROS: send K messages of BYTES to each connection
//	profile FILE | stop       write a CPU profile between the two
//
// On /ws it echoes every message. Each server is written as the library's own documentation advises, buffers at their defaults.
package main
