// Package logging makes the process's logger: text on a terminal, JSON elsewhere, and at most ten lines a second of each
// kind, so that a flood of bad peers is a number and not a full disk (RS-13).
//
// A kind is a level and a message. Messages are constants everywhere in this code, so that there are few kinds; what
// varies stands in attributes. When lines were left out, the next one of their kind that is written says how many.
package logging
