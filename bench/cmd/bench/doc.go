// Command bench measures WebSocket engines side by side and writes a report with plots.
//
//	go run ./cmd/bench [-quick] [-out results] [-only bellwire-reactor,gws] [-note "why"]
//
// It needs gcc, taskset and about 15 minutes of an otherwise idle machine with two processors; -quick takes about two.
package main
