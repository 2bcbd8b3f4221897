package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/bellwire/bellwire/server"
	"github.com/bellwire/bellwire/server/config"
	"github.com/bellwire/bellwire/server/logging"
)

// environmentGo is where Go's own runtime and libraries look for their settings, once, before main.
const environmentGo = "GODEBUG"

// offerHTTP2 starts the program again with the setting by which net/http offers WebSocket over HTTP/2, when the configuration
// asks for it and this process began without (docs/decisions/0004). On success it does not return then.
func offerHTTP2(cfg *config.Config, errOut io.Writer) error {
	if !cfg.HTTP2WebSocket || server.HTTP2Offered() {
		return nil
	}
	if settingPresent(os.Getenv(environmentGo)) {
		return errHTTP2Ignored // again would be for ever
	}
	level, err := config.ParseLevel(cfg.Log.Level)
	if err != nil {
		return err
	}
	logging.New(errOut, level, cfg.Log.Format).Info("starting again to offer WebSocket over HTTP/2", environmentGo, server.HTTP2Setting)
	return restart(withSetting(os.Environ()))
}

// errHTTP2Ignored is a program whose net/http does not know the setting any more.
var errHTTP2Ignored = fmt.Errorf("http2_websocket is on and %s has %s, but this program's net/http does not offer WebSocket over HTTP/2", environmentGo, server.HTTP2Setting)

// http2Note says how serve will come to offer WebSocket over HTTP/2; nothing where it is not asked to.
func http2Note(cfg *config.Config) (string, error) {
	switch {
	case !cfg.HTTP2WebSocket:
		return "", nil
	case server.HTTP2Offered():
		return fmt.Sprintf("http2_websocket is in effect: %s has %s", environmentGo, server.HTTP2Setting), nil
	case settingPresent(os.Getenv(environmentGo)):
		return "", errHTTP2Ignored
	case !canRestart:
		return "", server.ErrHTTP2NotOffered
	}
	return fmt.Sprintf("http2_websocket: serve starts itself again with %s=%s", environmentGo, server.HTTP2Setting), nil
}

// settingPresent looks for the setting as net/http does.
func settingPresent(settings string) bool { return strings.Contains(settings, server.HTTP2Setting) }

// withSetting returns the environment with the setting added to those that are there.
func withSetting(environ []string) []string {
	const prefix = environmentGo + "="
	added := make([]string, 0, len(environ)+1)
	settings := server.HTTP2Setting
	for _, variable := range environ {
		if value, ok := strings.CutPrefix(variable, prefix); !ok {
			added = append(added, variable)
		} else if value != "" {
			settings = value + "," + server.HTTP2Setting
		}
	}
	return append(added, prefix+settings)
}
