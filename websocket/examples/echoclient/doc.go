// Command echoclient connects to a URL and sends every message back until the
// server closes:
//
//	echoclient ws://127.0.0.1:9002/
//
// With --cases it walks a server of conformance cases the way the public suite's
// testees do: it asks /getCaseCount, runs each of /runCase?case=N, and asks for the
// report with /updateReports.
//
//	echoclient --cases --compression takeover ws://127.0.0.1:9001
package main
