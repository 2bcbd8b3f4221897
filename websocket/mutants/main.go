package main

import (
	"slices"

	"github.com/bellwire/bellwire/internal/mutation"
)

func main() { mutation.Main("websocket", bank()) }

// bank returns all mutants, by where they are. Their classes are those of the vulnerability catalogue, or clauses of RFC 6455
// and RFC 7692; with Race they take that build because it poisons memory that is given back.
func bank() []mutation.Mutant {
	return slices.Concat(frameMutants, endpointMutants, handshakeMutants, deflateMutants, driverMutants, http2Mutants, doorMutants, carryMutants, reactorMutants, streamMutants)
}
