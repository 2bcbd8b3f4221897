// Package broker is the port to whatever keeps and carries the data of channels: Backend on the one side, Sink on the
// other. It holds the questions and answers, and no implementation.
//
// Every implementation passes the suite of realtime/backendtest. Append and deliver are one atomic step per channel:
// a backend that separates them breaks resume.
package broker
