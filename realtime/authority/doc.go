// Package authority is the one function that decides what a connection may do (AUT-1), and the words it decides by:
// the claims of tokens and the rules of namespaces. It is pure; verifying signatures is behind the Verifier port.
package authority
