//go:build !race

package conformance_test

// slowness divides nothing here.
const slowness = 1
