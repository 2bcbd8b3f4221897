package websocket_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/bellwire/bellwire/websocket"
)

// RFC 8441 3: net/http offers extended CONNECT when the environment says so at the start of the process, and only then.
func TestHTTP2Offered(t *testing.T) {
	const asked = "ASKED_HTTP2_OFFERED"
	if os.Getenv(asked) != "" {
		if !websocket.HTTP2Offered() {
			t.Error("it is not offered with GODEBUG=http2xconnect=1")
		}
		return
	}
	if websocket.HTTP2Offered() {
		t.Error("it is offered without being asked for")
	}
	command := exec.Command(os.Args[0], "-test.run=^TestHTTP2Offered$")
	command.Env = append(os.Environ(), asked+"=1", "GODEBUG=http2xconnect=1")
	if output, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, output)
	}
}
