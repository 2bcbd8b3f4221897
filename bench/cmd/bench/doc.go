// Command bench measures Bellwire and its peers side by side and writes a report with plots.
//
//	go run ./cmd/bench [-quick | -smoke] [-half engine|server] [-only bellwire,nats] [-cells regexp] [-rounds n] [-out results] [-note "why"]
//	go run ./cmd/bench -render results     write the report again from what was found
//
// It needs gcc, taskset, Node.js with npm and an otherwise idle machine with two processors for about half an hour; -quick takes a few minutes,
// -smoke some seconds. The report is written after each part, so that a run that is cut short leaves what it found.
package main
