package main

import (
	"slices"

	"github.com/bellwire/bellwire/internal/mutation"
)

func main() { mutation.Main("realtime", bank()) }

// bank returns all mutants, by the way of a message. Their classes say what becomes of a publication, or name the clause.
func bank() []mutation.Mutant {
	return slices.Concat(commandMutants, hubMutants, sessionMutants)
}
