//go:build !unix

package main

import "github.com/bellwire/bellwire/server"

const canRestart = false

// restart is for systems where a process can begin anew. Elsewhere the operator sets the environment.
func restart([]string) error { return server.ErrHTTP2NotOffered }
