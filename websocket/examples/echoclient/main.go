package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"strings"

	"github.com/bellwire/bellwire/websocket"
)

// options are the program's flags.
type options struct {
	cases bool
	agent string
	url   string
	dial  websocket.DialOptions
}

func main() {
	o, err := parse(os.Args[1:])
	if err != nil {
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	run := runOnce
	if o.cases {
		run = runCases
	}
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "echoclient:", err)
		os.Exit(1)
	}
}

func parse(arguments []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("echoclient", flag.ContinueOnError)
	flags.BoolVar(&o.cases, "cases", false, "walk a server of conformance cases")
	flags.StringVar(&o.agent, "agent", "bellwire", "name of this program in the reports")
	flags.TextVar(&o.dial.Compression, "compression", websocket.CompressionOff, "off, no-takeover or takeover")
	flags.Int64Var(&o.dial.Limits.MessageBytes, "message-limit", 16<<20, "largest message, in bytes")
	flags.IntVar(&o.dial.Limits.Fragments, "fragment-limit", 0, "most frames in a message; 0 is the library's default")
	if err := flags.Parse(arguments); err != nil {
		return o, err
	}
	if flags.NArg() != 1 {
		err := errors.New("one URL is needed")
		fmt.Fprintln(flags.Output(), err)
		return o, err
	}
	o.url = strings.TrimSuffix(flags.Arg(0), "/")
	return o, nil
}

// runOnce echoes on one connection.
func runOnce(ctx context.Context, o options) error {
	err := echo(ctx, o.url, o)
	if status := websocket.CloseStatus(err); status == websocket.StatusNormalClosure || status == websocket.StatusNoStatusReceived {
		return nil
	}
	return err
}

// runCases runs each case of the server, and lets it write its report. How a
// case ends is the server's to judge.
func runCases(ctx context.Context, o options) error {
	count, err := caseCount(ctx, o)
	if err != nil {
		return fmt.Errorf("asking for the number of cases: %w", err)
	}
	agent := url.QueryEscape(o.agent)
	for n := 1; n <= count; n++ {
		err := echo(ctx, fmt.Sprintf("%s/runCase?case=%d&agent=%s", o.url, n, agent), o)
		if ctx.Err() != nil {
			return err
		}
		fmt.Printf("case %d of %d: %v\n", n, count, err)
	}
	err = echo(ctx, o.url+"/updateReports?agent="+agent, o)
	if websocket.CloseStatus(err) == 0 {
		return fmt.Errorf("asking for the report: %w", err)
	}
	return nil
}

// caseCount asks how many cases there are.
func caseCount(ctx context.Context, o options) (int, error) {
	conn, _, err := websocket.Dial(ctx, o.url+"/getCaseCount", &o.dial)
	if err != nil {
		return 0, err
	}
	defer conn.CloseNow()
	_, message, err := conn.Read(ctx)
	if err != nil {
		return 0, err
	}
	conn.Close(websocket.StatusNormalClosure, "")
	return strconv.Atoi(string(message))
}

// echo opens a connection and sends back what comes. It returns how it ended.
func echo(ctx context.Context, url string, o options) error {
	conn, _, err := websocket.Dial(ctx, url, &o.dial)
	if err != nil {
		return err
	}
	defer conn.CloseNow()
	var buf []byte
	for {
		kind, message, err := conn.ReadInto(ctx, buf)
		if err != nil {
			return err
		}
		if err := conn.Write(ctx, kind, message); err != nil {
			return err
		}
		buf = message[:0]
	}
}
