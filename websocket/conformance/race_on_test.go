//go:build race

package conformance_test

// slowness divides what the largest conversations move: the race detector makes
// them many times slower.
const slowness = 16
