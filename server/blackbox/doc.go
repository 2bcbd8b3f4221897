// Package blackbox attacks a whole server from outside: raw sockets with bytes written by hand, in both framings, against
// a server on loopback. It has tests only. Each test is named after the rule that it tries to break, and ends with an
// honest client that must not have noticed.
package blackbox
