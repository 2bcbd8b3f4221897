// Package harness runs servers and load generators as child processes, interleaved, and measures the servers.
//
// The main figure is the CPU time that the operating system accounts to the server process, per message.
// Contenders take turns within each round, and a ratio is that to the floor in the same round, so that what
// else the machine does hits all of them alike; what is reported is the median of the rounds.
package harness
