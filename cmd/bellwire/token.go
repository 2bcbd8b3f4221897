package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/bellwire/bellwire/server/auth"
	"github.com/bellwire/bellwire/server/config"
)

// tokenOptions is what `bellwire token` is asked for.
type tokenOptions struct {
	user       string
	lifetime   time.Duration
	channel    string
	actions    string
	allow      []string
	info       string
	keyID      string
	privateKey string
	algorithm  string
}

func tokenCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "token",
		Short: "Mint a token",
		Long: "token mints a connection token, or with --channel a subscription token, and prints it. It signs with the configured\n" +
			"secret (tokens.hmac_secret, or the key --key-id names), or with --private-key, a PEM file. Issuer and audience are the\n" +
			"configured ones. Your own backend mints tokens the same way: they are plain JWTs.",
		Example: "  bellwire token --dev --user alice\n" +
			"  bellwire token --config bellwire.yaml --user alice --allow 'chat:*=subscribe,publish' --lifetime 1h",
		Args: cobra.NoArgs,
	}
	var options tokenOptions
	flags := command.Flags()
	file := configFlag(command)
	flags.Bool("dev", false, "for a server that runs with --dev")
	flags.StringVar(&options.user, "user", "", "the user whose token it is (needed)")
	flags.DurationVar(&options.lifetime, "lifetime", time.Hour, "how long it is valid")
	flags.StringVar(&options.channel, "channel", "", "make a subscription token for this channel")
	flags.StringVar(&options.actions, "actions", "", "with --channel: what it allows, such as subscribe,publish")
	flags.StringArrayVar(&options.allow, "allow", nil, "a grant, such as 'chat:*=subscribe,publish'; may be repeated")
	flags.StringVar(&options.info, "info", "", "a JSON object that others see in presence")
	flags.StringVar(&options.keyID, "key-id", "", "the configured key to sign with; with --private-key the kid of the token")
	flags.StringVar(&options.privateKey, "private-key", "", "PEM file to sign with, with --algorithm")
	flags.StringVar(&options.algorithm, "algorithm", "", "of --private-key: RS256, ES256, EdDSA and so on")
	if err := command.MarkFlagRequired("user"); err != nil {
		panic(err) // the flag stands above
	}
	command.RunE = func(command *cobra.Command, _ []string) error {
		cfg, err := loadConfig(command, *file, map[string]string{"dev": "dev"})
		if err != nil {
			return err
		}
		token, err := mint(cfg, options)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(command.OutOrStdout(), token)
		return err
	}
	return command
}

func mint(cfg *config.Config, options tokenOptions) (string, error) {
	order := auth.Order{
		User: options.user, Lifetime: options.lifetime, Channel: options.channel,
		Issuer: cfg.Tokens.Issuer, Audience: cfg.Tokens.Audience,
	}
	if options.lifetime < time.Second {
		return "", errors.New("--lifetime must be at least 1s")
	}
	if options.channel != "" && (len(options.allow) > 0 || options.info != "") {
		return "", errors.New("--allow and --info belong in a connection token, --channel makes a subscription token")
	}
	if options.info != "" {
		var object map[string]json.RawMessage
		if err := json.Unmarshal([]byte(options.info), &object); err != nil || object == nil {
			return "", errors.New("--info must be a JSON object")
		}
		order.Info = []byte(options.info)
	}
	for _, text := range options.allow {
		grant, err := auth.ParseGrant(text)
		if err != nil {
			return "", fmt.Errorf("--allow: %w", err)
		}
		order.Grants = append(order.Grants, grant)
	}
	if options.actions != "" {
		actions, err := auth.ParseActions(options.actions)
		if err != nil {
			return "", fmt.Errorf("--actions: %w", err)
		}
		order.Actions = actions
	}
	key, err := signingKey(cfg, options)
	if err != nil {
		return "", err
	}
	return auth.Mint(key, order, time.Now())
}

func signingKey(cfg *config.Config, options tokenOptions) (auth.SigningKey, error) {
	if options.privateKey != "" {
		private, err := readPrivateKey(options.privateKey)
		return auth.SigningKey{ID: options.keyID, Algorithm: options.algorithm, Private: private}, err
	}
	if options.keyID == "" && cfg.Tokens.HMACSecret != "" {
		return auth.SigningKey{Algorithm: "HS256", Private: []byte(cfg.Tokens.HMACSecret)}, nil
	}
	for _, key := range cfg.Tokens.Keys {
		if key.ID == options.keyID && key.Secret != "" {
			return auth.SigningKey{ID: key.ID, Algorithm: key.Algorithm, Private: []byte(key.Secret)}, nil
		}
	}
	return auth.SigningKey{}, errors.New("no secret to sign with: configure tokens.hmac_secret (BELLWIRE_TOKENS_HMAC_SECRET), " +
		"name a key by --key-id, give --private-key, or use --dev")
}

func readPrivateKey(path string) (any, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(content)
	if block == nil {
		return nil, fmt.Errorf("%s is not a PEM file", path)
	}
	switch block.Type {
	case "PRIVATE KEY":
		return x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		return x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		return x509.ParseECPrivateKey(block.Bytes)
	}
	return nil, fmt.Errorf("%s holds %q, not a private key", path, block.Type)
}
