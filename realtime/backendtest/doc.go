// Package backendtest is the contract of [broker.Backend] as tests that every backend runs.
//
//	func TestContract(t *testing.T) {
//		backendtest.Run(t, func(t *testing.T, sink broker.Sink) (broker.Backend, backendtest.Control) {
//			...
//		})
//	}
//
// A test's name is the clause of the protocol it holds and what happens in it. A backend may be slower or keep more over
// a restart than another; what it answers and delivers must be the same.
//
// Tests with chance in them log their seed; the environment variable BELLWIRE_SEED sets it.
package backendtest
