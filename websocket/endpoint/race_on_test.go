//go:build race

package endpoint

// poisoned says that this build has the race detector, whose pools drop at random.
const poisoned = true
