package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/bellwire/bellwire/internal/heapfloor"
	"github.com/bellwire/bellwire/server"
	"github.com/bellwire/bellwire/server/config"
	"github.com/bellwire/bellwire/server/logging"
)

// serveFlags says which flags of serve set which keys of the configuration.
var serveFlags = map[string]string{
	"dev": "dev", "listen": "listen", "internal-listen": "internal_listen", "name": "name", "drain": "drain",
	"http2-websocket": "http2_websocket",
	"log-level":       "log.level", "log-format": "log.format",
}

func serveCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Long: "serve runs the server until it is interrupted; then it moves its clients away over the drain time, and ends. A second\n" +
			"interrupt ends it at once.\n\n" +
			"Flags win over the environment (BELLWIRE_LISTEN and so on), the environment over the file, the file over the defaults.",
		Example: "  bellwire serve --dev\n  bellwire serve --config bellwire.yaml --listen 0.0.0.0:8000",
		Args:    cobra.NoArgs,
	}
	flags := command.Flags()
	file := configFlag(command)
	flags.Bool("dev", false, "development: open to everybody, on loopback only, with the demo")
	noDemo := flags.Bool("no-demo", false, "with --dev: do not publish this machine's figures for the demo")
	flags.String("listen", "127.0.0.1:8000", "address to listen on")
	flags.String("internal-listen", "", "address for the API and the metrics alone")
	flags.String("name", "", "name of this node")
	flags.Duration("drain", 0, "over how long clients are moved away at the end")
	flags.Bool("http2-websocket", false, "offer WebSocket over HTTP/2 too")
	flags.String("log-level", "info", "debug, info, warn or error")
	flags.String("log-format", "auto", "text, json, or auto")
	command.RunE = func(command *cobra.Command, _ []string) error {
		cfg, err := loadConfig(command, *file, serveFlags)
		if err != nil {
			return err
		}
		if err := offerHTTP2(cfg, command.ErrOrStderr()); err != nil {
			return err
		}
		ctx, stop := signal.NotifyContext(command.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		// After the first signal the next one has its own effect again: it ends the process at once.
		context.AfterFunc(ctx, stop)
		return serve(ctx, cfg, cfg.Dev && !*noDemo, command.OutOrStdout(), command.ErrOrStderr())
	}
	return command
}

// heapFloorBytes is what the heap may grow to before it is collected. With the 3 MB that hardly any connections take, a publish over
// WebSocket was 0.89 of what it is without, one over HTTP and connecting 0.94. Sixteen MiB gained nothing more, and made a connection
// take half a kilobyte more as it sits.
const heapFloorBytes = 12 << 20

// serve runs a server until ctx ends.
func serve(ctx context.Context, cfg *config.Config, feed bool, out, errOut io.Writer) error {
	level, err := config.ParseLevel(cfg.Log.Level)
	if err != nil {
		return err
	}
	if os.Getenv("GOGC") == "" {
		defer heapfloor.Keep(heapFloorBytes)()
	}
	logger := logging.New(errOut, level, cfg.Log.Format)
	s, err := server.New(server.Options{Config: cfg, Version: version, Logger: logger})
	if err != nil {
		return err
	}
	if err := s.Listen(); err != nil {
		_ = s.Close()
		return err
	}
	if cfg.Dev {
		printBanner(out, s.URL(), s.APIURL())
	}
	if feed {
		defer startFeeder(ctx, s.APIURL(), cfg, logger)()
	}
	return s.Run(ctx)
}

// startFeeder publishes this machine's figures until ctx ends. The function it returns waits for the end.
func startFeeder(ctx context.Context, apiURL string, cfg *config.Config, logger *slog.Logger) (stop func()) {
	feeding, cancel := context.WithCancel(ctx)
	wait := startDemoFeeder(feeding, apiURL, cfg.API.Keys[0], logger)
	return func() {
		cancel()
		wait()
	}
}

// printBanner says where everything is, and three things to try.
func printBanner(out io.Writer, url, apiURL string) {
	program := programName(os.Args[0])
	line := ""
	if url != defaultURL {
		line = " --url " + strings.Replace(url, "http", "ws", 1) + "/ws"
	}
	fmt.Fprintf(out, `
  Bellwire %s is open to everybody on this machine, and to nobody else (development mode).

  Demo       %s/
  Health     %s/readyz
  Metrics    %s/metrics

  Three things to try in another terminal:

    %s sub 'demo:*'%s
    %s pub demo:hello '{"text":"hi"}'%s
    curl -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' \
         -d '{"channel":"demo:hello","data":{"text":"hi"}}' %s/api/v1/publish

  Ctrl-C stops it.

`, version, url, url, apiURL, program, line, program, line, config.DevAPIKey, apiURL)
}

const defaultURL = "http://127.0.0.1:8000"

// programName is how this program was called, or its plain name when that was not by hand.
func programName(argument string) string {
	if filepath.IsAbs(argument) || strings.ContainsAny(argument, " '\"") {
		return filepath.Base(argument)
	}
	return argument
}
