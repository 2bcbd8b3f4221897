// Package seed lets chance into tests and out of their failures: what a test draws comes from one seed, which it logs and which
// the environment variable BELLWIRE_SEED sets, so that a run can be had again.
//
// It is for tests only and imports nothing outside the standard library.
package seed
