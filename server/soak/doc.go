// Command soak holds a server under abuse for a long time and watches what honest clients see of it.
//
//	make soak-server SOAK=10m
//
// It starts the binary it is given, measures how long deliveries to honest subscribers take while nothing else happens, and
// then again and again while others come and go, subscribe to a busy channel and read nothing, send commands without end, send
// what is no message, and open connections that say nothing. Listeners to events lose their lines again and again meanwhile, and go
// on where they were. At the end it looks at what is left of them.
//
// It fails when an honest client or a listener misses something or gets it twice, when the median of their p99 is more than
// three times what it was, when the server's memory goes on growing, or when something panicked. It says so in a table, a row
// for each look. It is no test of `make test`: it takes long, and what it judges is time.
//
// Everything stays on loopback: the honest at 127.0.0.1, the others at addresses of their own, so that the limits for an
// address are theirs.
package main
