//go:build unix

package main

import (
	"context"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/http2"
)

// serve with http2_websocket, from wherever the configuration says it, becomes a process that offers it, and stays the same process.
func TestServeOffersHTTP2WhenAsked(t *testing.T) {
	rows := map[string]struct {
		command string
		offered bool
	}{
		"flag":                              {"bellwire serve --dev --no-demo --http2-websocket", true},
		"environment":                       {"env BELLWIRE_HTTP2_WEBSOCKET=true bellwire serve --dev --no-demo", true},
		"file":                              {"bellwire serve --dev --no-demo --config h2.yaml", true},
		"flag, beside another GODEBUG":      {"env GODEBUG=netdns=go bellwire serve --dev --no-demo --http2-websocket", true},
		"flag, and nothing left to arrange": {"env GODEBUG=http2xconnect=1 bellwire serve --dev --no-demo --http2-websocket", true},
		"not asked":                         {"bellwire serve --dev --no-demo", false},
		"not asked, offered by Go":          {"env GODEBUG=http2xconnect=1 bellwire serve --dev --no-demo", false},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			if err := os.WriteFile(s.folder+"/h2.yaml", []byte("http2_websocket: true\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			server := s.process(row.command)
			s.awaitStatus("/readyz", 200)
			client := &http2.Client{}
			defer client.Close()
			ctx, cancel := context.WithTimeout(t.Context(), docsPatience)
			defer cancel()
			conn, _, err := client.Dial(ctx, "ws://127.0.0.1:"+s.port+"/ws?channels=chat:a", nil)
			if (err == nil) != row.offered {
				t.Errorf("a stream of HTTP/2: %v", err)
			}
			if err == nil {
				if kind, message, err := conn.Read(ctx); err != nil || kind != websocket.TextMessage {
					t.Errorf("%s, %v", message, err)
				}
				_ = conn.CloseNow()
			}
			if err := server.Process.Signal(syscall.SIGTERM); err != nil { // the process that was started is the one that serves
				t.Fatal(err)
			}
			if err := <-server.ended; err != nil {
				t.Errorf("%v\n%s", err, server.output.String())
			}
			log := server.output.String()
			again := row.offered && !strings.Contains(row.command, "http2xconnect")
			if strings.Contains(log, "starting again") != again || strings.Contains(log, "HTTP/2 is offered") != row.offered {
				t.Errorf("log:\n%s", log)
			}
		})
	}
}

// check says how it will come about.
func TestCheckSaysHowHTTP2IsOffered(t *testing.T) {
	rows := map[string]string{
		"bellwire check --dev":                                               "",
		"bellwire check --dev --http2-websocket":                             "# http2_websocket: serve starts itself again with GODEBUG=http2xconnect=1",
		"env GODEBUG=http2xconnect=1 bellwire check --dev --http2-websocket": "# http2_websocket is in effect",
	}
	for command, want := range rows {
		s := newSandbox(t)
		ctx, cancel := context.WithTimeout(t.Context(), docsPatience)
		defer cancel()
		output, err := s.command(ctx, command).CombinedOutput()
		if err != nil || !strings.Contains(string(output), want) || want == "" && strings.Contains(string(output), "# http2") {
			t.Errorf("%s: %v\n%s", command, err, output)
		}
	}
}

func TestWithSetting(t *testing.T) {
	rows := map[string]struct{ before, after []string }{
		"none":     {[]string{"A=b"}, []string{"A=b", "GODEBUG=http2xconnect=1"}},
		"empty":    {[]string{"GODEBUG=", "A=b"}, []string{"A=b", "GODEBUG=http2xconnect=1"}},
		"others":   {[]string{"GODEBUG=a=1,b=2"}, []string{"GODEBUG=a=1,b=2,http2xconnect=1"}},
		"switched": {[]string{"GODEBUG=http2xconnect=0"}, []string{"GODEBUG=http2xconnect=0,http2xconnect=1"}},
	}
	for name, row := range rows {
		if got := withSetting(row.before); !slices.Equal(got, row.after) {
			t.Errorf("%s: %q", name, got)
		}
	}
}
