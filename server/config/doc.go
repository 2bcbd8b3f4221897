// Package config is what an operator says: one plain struct, read from a file, the environment and flags.
//
//	cfg, err := config.Load(config.Sources{File: "bellwire.yaml", Environ: os.Environ(), Flags: changed})
//
// Flags win over the environment (BELLWIRE_…), the environment over the YAML file, the file over the defaults. Every
// field has its key, its limits and its help in struct tags, so that loading, checking and the reference of
// docs/OPERATING.md have one source.
//
// It is strict: an unknown key is an error that names the nearest known one, a number outside its limits is an error that
// names both limits, and 0 never means unlimited. It is safe by default: loopback, no anonymous access, no origin but its
// own, no secret. Development mode ([Config.Dev]) opens everything and therefore listens on loopback only.
//
// It is the only package that reads files, flags and environment; all others are given plain structs.
package config
