//go:build !race

package frame

// threeByteStep takes every three-byte string.
const threeByteStep = 1
