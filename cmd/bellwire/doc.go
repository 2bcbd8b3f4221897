// Command bellwire is the server and its tools in one binary: serve runs it, pub and sub use the line from a shell,
// token mints, check looks at a configuration. `bellwire help` lists all.
//
// Each subcommand is a file of its own and one line in commands.go.
package main
