// Package leak fails tests that leave goroutines behind.
//
// A package's TestMain hands its tests to [Main]:
//
//	func TestMain(m *testing.M) { leak.Main(m) }
//
// One test alone, which must not run in parallel with others, calls [Check] first:
//
//	func TestClose(t *testing.T) {
//		leak.Check(t)
//		...
//	}
//
// Goroutines that were there before, and those of the testing package and of signal handling, do not
// count. A goroutine that is about to end gets time to do so: the stacks are read again and again until
// nothing is left or [SettleMax] has passed, so that a clean package waits for nothing.
//
// It is for tests only and imports nothing outside the standard library.
package leak
