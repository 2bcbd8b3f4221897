package client

import "time"

// sleptMin is how much the wall clock must gain on the monotonic one to mean that the machine slept: the monotonic
// clock stands still meanwhile on some systems.
const sleptMin = 5 * time.Second

// clock gives the core its time: milliseconds that never go back, and that count sleep.
type clock struct {
	mono, wall time.Duration // at the last reading, since the start
	slept      time.Duration
}

// read takes how much the two clocks of the machine have gone since the start. It reports whether the machine slept since
// the last reading; a wall clock set forward by hand looks the same, and only makes the client look after its line.
func (c *clock) read(mono, wall time.Duration) (now int64, woke bool) {
	gain := (wall - c.wall) - (mono - c.mono)
	if woke = gain >= sleptMin; woke {
		c.slept += gain
	}
	c.mono, c.wall = mono, wall
	return (mono + c.slept).Milliseconds(), woke
}
