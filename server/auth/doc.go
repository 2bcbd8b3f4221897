// Package auth checks credentials: tokens of clients and keys of the application's backends; and mints tokens.
//
// A [Verifier] holds the keys and implements authority.Verifier. A key has one algorithm; the token's header is compared
// with it and decides nothing (AUT-5). Connection tokens and subscription tokens are told apart by their channel claim
// and neither is ever taken for the other (AUT-4).
//
// Which check failed is in the error, for the log and for a counter; the peer is told only that the token is not valid
// (CNT-5). An error never holds the token, a claim's value or a key.
//
// It reads no file, keeps no clock and opens nothing. Everything may be called concurrently.
package auth
