package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func checkCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "check",
		Short: "Print the effective configuration and what is unsafe in it",
		Long: "check reads the configuration as serve would, prints what is in effect (without secrets), and then what is unsafe or\n" +
			"useless in it. It fails when the configuration is wrong, and with --strict also when there are warnings.",
		Example: "  bellwire check --config bellwire.yaml",
		Args:    cobra.NoArgs,
	}
	flags := command.Flags()
	file := configFlag(command)
	flags.Bool("dev", false, "check what serve --dev would do")
	flags.String("listen", "127.0.0.1:8000", "address to listen on")
	flags.Bool("http2-websocket", false, "offer WebSocket over HTTP/2 too")
	strict := flags.Bool("strict", false, "fail when there are warnings")
	command.RunE = func(command *cobra.Command, _ []string) error {
		cfg, err := loadConfig(command, *file, serveFlags)
		if err != nil {
			return err
		}
		effective, warnings := cfg.Check()
		fmt.Fprint(command.OutOrStdout(), effective)
		if note, err := http2Note(cfg); err != nil {
			return err
		} else if note != "" {
			fmt.Fprintln(command.OutOrStdout(), "#", note)
		}
		for _, warning := range warnings {
			fmt.Fprintln(command.ErrOrStderr(), "warning:", warning)
		}
		if *strict && len(warnings) > 0 {
			return fmt.Errorf("%d warnings", len(warnings))
		}
		return nil
	}
	return command
}
