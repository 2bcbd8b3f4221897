package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/bellwire/bellwire/internal/loadgen"
	"github.com/bellwire/bellwire/server/config"
)

// benchFlags are those of every workload.
type benchFlags struct {
	line                          lineFlags
	api, key, format              string
	pid                           int
	prefix                        string
	connectsPerSecond, connecting int
	connectTimeout                time.Duration
	yes, asJSON, quiet            bool
}

// benchRun is a workload with its own flags already read.
type benchRun func(ctx context.Context, g *loadgen.Generator) (*loadgen.Report, error)

// benchCommand is `bellwire bench`.
func benchCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "bench",
		Short: "Put load on a running server and measure it",
		Long: "bench opens lines to a running server, publishes, and measures: latency percentiles, what was lost or came twice, and\n" +
			"where the server's process can be read (Linux, same machine) its processor time and memory. docs/BENCHMARKING.md says\n" +
			"how to read the figures.\n\n" +
			"It puts real load on the server and needs --yes for one that is not on this machine.",
		Example: "  bellwire bench fanout --subscribers 1000 --rate 10\n  bellwire bench idle --from 100 --to 1000\n" +
			"  bellwire bench publish --rate 500 --json",
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	command.AddCommand(benchConnectCommand(), benchFanoutCommand(), benchPublishCommand(), benchPublishHTTPCommand(), benchPublishStreamCommand(), benchIdleCommand())
	return command
}

func benchConnectCommand() *cobra.Command {
	var w loadgen.Connect
	command := benchSubcommand("connect", "Open lines, each with one subscription",
		func(ctx context.Context, g *loadgen.Generator) (*loadgen.Report, error) { return g.Connect(ctx, w) })
	flags := command.Flags()
	flags.IntVar(&w.Connections, "connections", 1000, "lines to open")
	flags.IntVar(&w.Channels, "channels", 1, "channels they are spread over")
	return command
}

func benchIdleCommand() *cobra.Command {
	var w loadgen.Idle
	command := benchSubcommand("idle", "What one more idle line costs: the slope between two numbers of lines",
		func(ctx context.Context, g *loadgen.Generator) (*loadgen.Report, error) { return g.Idle(ctx, w) })
	flags := command.Flags()
	flags.IntVar(&w.From, "from", 100, "lines at first")
	flags.IntVar(&w.To, "to", 1000, "lines then")
	flags.IntVar(&w.Channels, "channels", 1, "channels they are spread over")
	flags.DurationVar(&w.Settle, "settle", 3*time.Second, "rest before each look")
	flags.DurationVar(&w.Duration, "duration", 10*time.Second, "length of each look")
	return command
}

func benchFanoutCommand() *cobra.Command {
	w := loadgen.Traffic{Name: "fanout", InFlight: 16}
	command := benchTrafficCommand(&w, "Publish to many subscribers")
	flags := command.Flags()
	flags.IntVar(&w.Subscribers, "subscribers", 1000, "lines that read, spread over the channels")
	flags.Float64Var(&w.Rate, "rate", 10, "publications a second, of all publishers together")
	flags.IntVar(&w.Publishers, "publishers", 0, "lines that publish (default: as many as the rate needs under a server's default limits)")
	return command
}

func benchPublishCommand() *cobra.Command {
	w := loadgen.Traffic{Name: "publish"}
	command := benchTrafficCommand(&w, "Publish over lines")
	flags := command.Flags()
	flags.IntVar(&w.Subscribers, "subscribers", 1, "lines that read, spread over the channels")
	flags.Float64Var(&w.Rate, "rate", 500, "publications a second, of all publishers together")
	flags.BoolVar(&w.FlatOut, "flat-out", false, "as fast as the answers come; the server needs higher limits for it")
	flags.IntVar(&w.Publishers, "publishers", 0, "lines that publish (default: as many as the rate needs under a server's default limits)")
	flags.IntVar(&w.InFlight, "in-flight", 16, "publications of one line that wait for their answers")
	return command
}

func benchPublishHTTPCommand() *cobra.Command {
	w := loadgen.Traffic{Name: "publish-http", HTTP: true, InFlight: 1}
	command := benchTrafficCommand(&w, "Publish by the HTTP API")
	flags := command.Flags()
	flags.IntVar(&w.Subscribers, "subscribers", 1, "lines that read, spread over the channels")
	flags.Float64Var(&w.Rate, "rate", 500, "publications a second, of all publishers together")
	flags.BoolVar(&w.FlatOut, "flat-out", false, "as fast as the answers come")
	flags.IntVar(&w.Publishers, "publishers", 8, "HTTP connections that publish")
	return command
}

func benchPublishStreamCommand() *cobra.Command {
	w := loadgen.Traffic{Name: "publish-stream", HTTP: true, Stream: true}
	command := benchTrafficCommand(&w, "Publish by the HTTP API's stream")
	flags := command.Flags()
	flags.IntVar(&w.Subscribers, "subscribers", 1, "lines that read, spread over the channels")
	flags.Float64Var(&w.Rate, "rate", 500, "publications a second, of all publishers together")
	flags.BoolVar(&w.FlatOut, "flat-out", false, "as fast as the answers come")
	flags.IntVar(&w.Publishers, "publishers", 4, "streams that publish")
	flags.IntVar(&w.InFlight, "in-flight", 256, "publications of one stream that wait for their answers")
	return command
}

// benchTrafficCommand has the flags of all workloads that publish.
func benchTrafficCommand(w *loadgen.Traffic, short string) *cobra.Command {
	command := benchSubcommand(w.Name, short, func(ctx context.Context, g *loadgen.Generator) (*loadgen.Report, error) {
		if w.Publishers == 0 {
			w.Publishers = publishersFor(w)
		}
		return g.Traffic(ctx, *w)
	})
	flags := command.Flags()
	flags.IntVar(&w.Channels, "channels", 1, "channels to publish to")
	flags.IntVar(&w.Payload, "payload", 128, "bytes of a publication's payload")
	flags.DurationVar(&w.Duration, "duration", 10*time.Second, "how long to publish")
	return command
}

// flatOutPublishers is how many lines publish flat out.
const flatOutPublishers = 4

// publishersFor is how many lines the rate needs when the server has its default limits, and at least one for each channel.
func publishersFor(w *loadgen.Traffic) int {
	if w.FlatOut {
		return max(flatOutPublishers, w.Channels)
	}
	return max(1, w.Channels, int(w.Rate/loadgen.PublisherRateMax)+1)
}

func benchSubcommand(name, short string, run benchRun) *cobra.Command {
	var f benchFlags
	command := &cobra.Command{
		Use: name, Short: short, Args: cobra.NoArgs,
		Example: "  bellwire bench " + name,
		RunE: func(command *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(command.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return f.run(ctx, command.OutOrStdout(), command.ErrOrStderr(), run)
		},
	}
	f.line.register(command)
	flags := command.Flags()
	flags.StringVar(&f.api, "api", environmentOr(environmentDemoURL, ""), "address of the HTTP API (environment "+environmentDemoURL+"; default: that of --url)")
	flags.StringVar(&f.key, "key", environmentOr(environmentDemoKey, config.DevAPIKey), "key of the API (environment "+environmentDemoKey+")")
	// The default in the help must not show a key that stands in the environment.
	flags.Lookup("key").DefValue = config.DevAPIKey
	flags.StringVar(&f.format, "format", "json", "framing of the lines: json or proto")
	flags.IntVar(&f.pid, "pid", 0, "the server's process (default: the one that listens on the port, where it can be found)")
	flags.StringVar(&f.prefix, "prefix", loadgen.PrefixDefault, "how the channels' names begin; the namespace must let the lines subscribe and publish")
	flags.IntVar(&f.connectsPerSecond, "connect-rate", 450, "lines opened in a second; a server admits 500 by default (limits.admission_per_second)")
	flags.IntVar(&f.connecting, "connecting", 32, "lines that are being opened at once; a server lets 64 of one address wait (limits.unauthenticated_per_ip)")
	flags.DurationVar(&f.connectTimeout, "timeout", 10*time.Second, "how long a line may take to open, and an answer to come")
	flags.BoolVar(&f.yes, "yes", false, "put load on a server that is not on this machine")
	flags.BoolVar(&f.asJSON, "json", false, "print the report as JSON")
	flags.BoolVar(&f.quiet, "quiet", false, "show no progress")
	return command
}

func (f *benchFlags) run(ctx context.Context, out, errOut io.Writer, run benchRun) error {
	options, err := f.options()
	if err != nil {
		return err
	}
	g, err := loadgen.New(options)
	if err != nil {
		return err
	}
	shown := newBenchProgress(errOut, f.quiet)
	if options.Target.PID == 0 {
		shown.say("the server's process is not known: its processor time and memory are not measured (--pid names it)")
	}
	shown.begin(g)
	report, err := run(ctx, g)
	shown.end()
	switch {
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return errors.New("interrupted")
	case err != nil:
		return err
	}
	if report.Server != nil {
		report.Server.PID = options.Target.PID
	}
	if f.asJSON {
		return writeBenchJSON(out, report)
	}
	return writeBenchTable(out, report)
}

// options checks the flags and fills in what follows from others.
func (f *benchFlags) options() (loadgen.Options, error) {
	address, err := lineAddress(f.line.url)
	if err != nil {
		return loadgen.Options{}, err
	}
	api := f.api
	if api == "" {
		if api, err = apiAddress(address); err != nil {
			return loadgen.Options{}, err
		}
	}
	for _, u := range []string{address, api} {
		if !loadgen.IsLoopback(u) && !f.yes {
			return loadgen.Options{}, fmt.Errorf("%s is not on this machine: add --yes if it is yours and may be put under load", u)
		}
	}
	target := loadgen.Target{
		URL: address, API: strings.TrimSuffix(api, "/"), Key: f.key, Token: f.line.token, Prefix: f.prefix, PID: f.pid,
	}
	switch f.format {
	case "json":
	case "proto":
		target.Binary = true
	default:
		return loadgen.Options{}, fmt.Errorf("--format is json or proto, not %q", f.format)
	}
	if target.PID == 0 && loadgen.IsLoopback(address) {
		target.PID = listenerOf(address)
	}
	return loadgen.Options{Target: target, Pace: loadgen.Pace{
		ConnectsPerSecond: f.connectsPerSecond, Connecting: f.connecting, ConnectTimeout: f.connectTimeout,
	}}, nil
}

// apiAddress is the HTTP address of the server whose WebSocket address is given.
func apiAddress(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	switch u.Scheme {
	case "ws":
		u.Scheme = "http"
	case "wss":
		u.Scheme = "https"
	}
	return u.Scheme + "://" + u.Host, nil
}

// listenerOf is 0 where the process cannot be found.
func listenerOf(address string) int {
	u, err := url.Parse(address)
	if err != nil {
		return 0
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		return 0
	}
	pid, _ := loadgen.FindListener(port) // what is not found is not measured
	return pid
}
