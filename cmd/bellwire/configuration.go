package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/bellwire/bellwire/server/config"
)

const environmentConfig = "BELLWIRE_CONFIG"

// configFlag adds the flag that names the configuration file.
func configFlag(command *cobra.Command) *string {
	return command.Flags().String("config", os.Getenv(environmentConfig), "YAML file to read (environment "+environmentConfig+")")
}

// loadConfig reads the configuration as serve does. keys says which flags set which keys; only those given count.
func loadConfig(command *cobra.Command, file string, keys map[string]string) (*config.Config, error) {
	given := make(map[string]any)
	for name, key := range keys {
		if flag := command.Flags().Lookup(name); flag != nil && flag.Changed {
			given[key] = flag.Value.String()
		}
	}
	return config.Load(config.Sources{File: file, Environ: os.Environ(), Flags: given})
}
