package websockettest

import (
	"io"
	"time"
)

const (
	// SteadyBufferBytes is what the receive buffer of a line has to be set to before ReadSteadily. A system tells its peer of
	// room only when about half of the buffer is free: of a large one that is once a second and less.
	SteadyBufferBytes = 16 << 10

	// steadyBytes at a time, and steadyParts times within a patience, are less than a third of the other side's buffer
	// in all: so its system never calls the line writable meanwhile.
	steadyBytes = 16 << 10
	steadyParts = 20
)

// ReadSteadily reads from a line for some time, little by little, so that the peer's system sees it progress several times
// in each patience. It reports whether it was steady: a machine that is too busy makes pauses of its own, and
// a peer that was given up then may have deserved it.
func ReadSteadily(line io.Reader, long, patience time.Duration) (steady bool, err error) {
	begun, buf := time.Now(), make([]byte, steadyBytes)
	ticks := time.NewTicker(patience / steadyParts)
	defer ticks.Stop()
	steady = true
	for last := begun; last.Sub(begun) < long; {
		<-ticks.C // the rate, not a wait for anything
		if _, err := io.ReadFull(line, buf); err != nil {
			return steady, err
		}
		now := time.Now()
		steady = steady && now.Sub(last) < patience/4
		last = now
	}
	return steady, nil
}
