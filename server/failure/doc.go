// Package failure counts the wrong credentials of each address, and says which address has shown so many that it is
// not listened to for a while (VC-47).
//
//	counter := failure.New(10, time.Now)
//	if wait, blocked := counter.Blocked(address); blocked { … }
//	counter.Add(address)
//
// An IPv6 address counts as its /64, which is one subscriber's. Memory is bounded: at most 10,000 addresses are
// remembered. A Counter may be used by many goroutines.
package failure
