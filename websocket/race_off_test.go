//go:build !race

package websocket_test

// slowness divides nothing here.
const slowness = 1
