//go:build race

package frame

// threeByteStep thins the three-byte strings out.
const threeByteStep = 61
