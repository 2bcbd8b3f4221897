// Package hostmetrics samples the machine it runs on: processor, memory, network, load and a few facts.
//
// A [Reading] is what the operating system counts at one moment; a [Sample] is what became of the time
// between two of them. The step from one to the other, [Between], is pure, so that wrapped counters,
// vanished interfaces and clocks that jump are tested with literal values. [Sampler] reads the machine and
// keeps the last reading:
//
//	sampler := hostmetrics.NewSampler()
//	sample, err := sampler.Sample(ctx) // once a second
//
// A figure that the system does not offer is left at 0; only when nothing at all can be read is there an
// error. Inside a container the figures are those of the machine, as far as the system shows them.
//
// Concurrency: a Sampler belongs to one goroutine.
package hostmetrics
