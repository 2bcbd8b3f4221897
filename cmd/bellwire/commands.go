package main

import "github.com/spf13/cobra"

// commands are all subcommands, in the order of the help.
func commands() []*cobra.Command {
	return []*cobra.Command{
		serveCommand(),
		pubCommand(),
		subCommand(),
		tokenCommand(),
		checkCommand(),
		benchCommand(),
		demoCommand(),
		versionCommand(),
	}
}
