//go:build !race

package endpoint

const poisoned = false
