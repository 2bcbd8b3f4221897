// Package harness runs servers and load generators as child processes, interleaved, and measures the servers.
//
// The main figure is the CPU time that the operating system accounts to the server process, per message.
// Contenders take turns within each round, and a ratio is that to the floor in the same round, so that what
// else the machine does hits all of them alike; what is reported is the median of the rounds.
//
// A [Runner] carries out families: cells that share their servers and connections. What it finds is a list of
// observations ([Results]), from which a [Report] is written, again and again while the run goes on. A contender that fails is
// an observation too, and does not end the run.
package harness
