//go:build race

package interop

// raceDetector is whether this is a build with it.
const raceDetector = true
