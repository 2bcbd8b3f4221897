package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/realtime"
)

const (
	lineURL              = "ws://127.0.0.1:8000/ws"
	environmentLineURL   = "BELLWIRE_URL"
	environmentLineToken = "BELLWIRE_TOKEN"
)

// lineFlags are those of every command that is a client of a server.
type lineFlags struct {
	url   string
	token string
}

func (f *lineFlags) register(command *cobra.Command) {
	flags := command.Flags()
	flags.StringVar(&f.url, "url", environmentOr(environmentLineURL, lineURL), "the server's WebSocket address (environment "+environmentLineURL+")")
	flags.StringVar(&f.token, "token", environmentOr(environmentLineToken, ""), "a connection token (environment "+environmentLineToken+"); without it the line is anonymous")
	// The default in the help must not show a token that stands in the environment.
	flags.Lookup("token").DefValue = ""
}

// open returns a client that tells on status what becomes of its line.
func (f *lineFlags) open(status *status, options client.Options) (*client.Client, error) {
	address, err := lineAddress(f.url)
	if err != nil {
		return nil, err
	}
	options.Token = f.token
	options.OnState = func(state client.ConnectionState) { status.connection(address, state) }
	options.OnError = func(err error) { status.printf("%v", err) }
	return client.New(address, &options)
}

// connect connects, and says what to do where the server refuses the line for want of a token.
func connect(ctx context.Context, c *client.Client) error {
	err := c.Connect(ctx)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, &realtime.Error{Code: realtime.CodeForbidden}):
		return fmt.Errorf("%w: the server takes no line without a token; give one with --token (`bellwire token` mints them)", err)
	case errors.Is(err, &realtime.Error{Code: realtime.CodeInvalidToken}):
		return fmt.Errorf("%w: the server does not accept this token; its log says which check failed", err)
	}
	return err
}

// lineAddress lets an address without a path mean /ws, so that the address of the demo may be given too.
func lineAddress(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/ws"
	}
	return u.String(), nil
}

// status is where a command tells people what goes on; standard output is for data alone.
type status struct {
	quiet bool

	mu sync.Mutex
	// Guarded by mu.
	out      io.Writer
	counting bool // a count stands on the terminal, without the end of its line
	counted  time.Time
}

func (s *status) printf(format string, arguments ...any) {
	if s.quiet {
		return
	}
	s.fail(format, arguments...)
}

// fail tells what went wrong, also when quiet.
func (s *status) fail(format string, arguments ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writeLocked(format, arguments...)
}

func (s *status) writeLocked(format string, arguments ...any) {
	if s.counting {
		fmt.Fprintln(s.out)
		s.counting = false
	}
	fmt.Fprintf(s.out, "bellwire: "+format+"\n", arguments...)
}

// progressInterval is how often a person can read another number.
const progressInterval = 200 * time.Millisecond

// progress shows a count that grows, to people only.
func (s *status) progress(count int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.quiet || !isTerminal(s.out) || time.Since(s.counted) < progressInterval {
		return
	}
	s.counted, s.counting = time.Now(), true
	fmt.Fprintf(s.out, "\rbellwire: %d published", count)
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func (s *status) connection(address string, state client.ConnectionState) {
	switch state.State {
	case client.Connected:
		s.printf("connected to %s as %s", address, state.Session.User)
	case client.Waiting:
		s.printf("the line is down (%s); next attempt in %.1f s", describeEnd(state), state.RetryIn.Seconds())
	}
}

// describeEnd says why a line ended: in the server's words, the socket's or the client's.
func describeEnd(state client.ConnectionState) string {
	switch {
	case state.Code.Name() != "":
		return state.Code.Name()
	case state.Reason != "":
		return state.Reason
	case state.Code != 0:
		return fmt.Sprint("code ", state.Code)
	}
	return "trying again"
}
