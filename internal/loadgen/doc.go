// Package loadgen puts load on a running server and measures what the server makes of it: connections, publications and
// their deliveries, with percentiles of the latency, with what was lost or came twice, and with the processor time and
// memory of the server's process where that can be read.
//
// It is no client: it does not come back after a failure, keeps nothing, and asks for no more than a load needs, so that
// one process holds thousands of lines. A line that ends is counted, not replaced.
//
//	g, err := loadgen.New(loadgen.Options{Target: loadgen.Target{URL: "ws://127.0.0.1:8000/ws"}})
//	report, err := g.Traffic(ctx, loadgen.Traffic{Subscribers: 1000, Rate: 10, Duration: 10 * time.Second})
//
// Latencies go from just before a publication is written to when its delivery has been read, by one clock: the
// publication's payload carries the time. What the generator itself needs to read is part of it; [Report] has the
// generator's processor time beside the server's, so that one sees which of them was the bottleneck.
//
// Concurrency: a Generator runs one workload at a time; Progress may be called from anywhere meanwhile. Each line has one
// goroutine that reads. A workload owns all goroutines it starts and returns when they have ended.
//
// Invariants: nothing here grows with the length of a run. Every wait has an end: a context or a patience.
package loadgen
