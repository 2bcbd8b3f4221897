package interop

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/lxzan/gws"
)

var gwsPeer = peer{
	name:  "gws",
	modes: allModes,
	serve: func(t *testing.T, m mode, w *witness) string {
		upgrader := gws.NewUpgrader(&gwsEcho{witness: w, mode: m}, &gws.ServerOption{
			PermessageDeflate:  gwsMode(m),
			ReadMaxPayloadSize: messageMax, WriteMaxPayloadSize: messageMax,
			CheckUtf8Enabled: true,
			SubProtocols:     []string{subprotocolOurs},
		})
		server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			conn, err := upgrader.Upgrade(rw, r)
			if err == nil {
				conn.ReadLoop()
			}
		}))
		t.Cleanup(server.Close)
		return server.URL
	},
	dial: func(t *testing.T, url string, m mode, w *witness) {
		echo := &gwsEcho{witness: w, mode: m}
		conn, response, err := gws.NewClient(echo, &gws.ClientOption{
			Addr:               "ws" + strings.TrimPrefix(url, "http"),
			RequestHeader:      http.Header{"Sec-Websocket-Protocol": {strings.Join(offered, ", ")}},
			PermessageDeflate:  gwsMode(m),
			ReadMaxPayloadSize: messageMax, WriteMaxPayloadSize: messageMax,
			CheckUtf8Enabled: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		echo.extensions = extensionsOf(response)
		runs(t, conn.ReadLoop)
	},
}

func gwsMode(m mode) gws.PermessageDeflate {
	p := gws.PermessageDeflate{Enabled: m.theirs != "off", Threshold: 1}
	p.ServerContextTakeover = m.theirs == "takeover" || m.theirs == "window"
	p.ClientContextTakeover = p.ServerContextTakeover
	if m.theirs == "window" {
		p.ServerMaxWindowBits, p.ClientMaxWindowBits = windowBits, windowBits
	}
	return p
}

// gwsEcho is called by the loop that reads, one call at a time.
type gwsEcho struct {
	gws.BuiltinEventHandler
	witness    *witness
	mode       mode
	extensions string
	pinged     string // the payload that it was asked for
}

func (e *gwsEcho) OnOpen(conn *gws.Conn) {
	e.witness.opened <- opening{conn.SubProtocol(), e.extensions}
}

func (e *gwsEcho) OnPing(conn *gws.Conn, payload []byte) { conn.WritePong(payload) }

func (e *gwsEcho) OnPong(conn *gws.Conn, payload []byte) {
	if e.keepsContext() {
		payload = []byte(e.pinged)
	}
	conn.WriteString("pong " + string(payload))
}

// keepsContext is when gws 1.8.9 must not ping with a payload: it takes it into the context of its compression,
// where no peer expects it, and the messages that follow are damaged.
func (e *gwsEcho) keepsContext() bool { return e.mode.agreed && e.mode.theirs != "no-takeover" }

func (e *gwsEcho) OnClose(_ *gws.Conn, err error) {
	var closed *gws.CloseError
	if errors.As(err, &closed) {
		e.witness.closed <- ending{int(closed.Code), string(closed.Reason)}
	}
}

func (e *gwsEcho) OnMessage(conn *gws.Conn, message *gws.Message) {
	defer message.Close()
	answer(gwsConn{conn, e}, message.Opcode == gws.OpcodeText, message.Bytes())
}

type gwsConn struct {
	*gws.Conn
	echo *gwsEcho
}

func gwsType(text bool) gws.Opcode {
	if text {
		return gws.OpcodeText
	}
	return gws.OpcodeBinary
}

func (c gwsConn) send(text bool, message []byte) error {
	return c.WriteMessage(gwsType(text), message)
}

// sendFragments leaves the borders to gws, which sends a file in segments.
func (c gwsConn) sendFragments(text bool, fragments [][]byte) error {
	var message strings.Builder
	for _, fragment := range fragments {
		message.Write(fragment)
	}
	return c.WriteFile(gwsType(text), strings.NewReader(message.String()))
}

func (c gwsConn) ping(payload string) error {
	c.echo.pinged = payload
	if c.echo.keepsContext() {
		payload = ""
	}
	return c.WritePing([]byte(payload))
}

func (c gwsConn) end(code int, reason string) error {
	return c.WriteClose(uint16(code), []byte(reason))
}
