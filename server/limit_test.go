package server

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/server/auth"
	"github.com/bellwire/bellwire/server/config"
)

// VC-46: a limit that is configured is one that is met. Each row sets one limit low and runs into it.
func TestVC46EveryConfiguredLimitIsMet(t *testing.T) {
	tests := []struct {
		key    string
		set    func(*config.Config)
		exceed func(*testing.T, *fixture)
	}{
		{"limits.subscriptions", func(c *config.Config) { c.Limits.Subscriptions = 2 }, func(t *testing.T, f *fixture) {
			l := f.anonymous()
			l.send(`{"id":2,"subscribe":{"channels":[{"channel":"chat:a"},{"channel":"chat:b"},{"channel":"chat:c"}]}}`)
			l.expect("subscribed")
			l.expect("subscribed")
			if got := l.expect("subscribed"); code(got["error"]) != 109 {
				t.Errorf("the third: %v", got)
			}
		}},
		{"limits.channels_per_command", func(c *config.Config) { c.Limits.ChannelsPerCommand = 2 }, func(t *testing.T, f *fixture) {
			l := f.anonymous()
			l.send(`{"id":2,"subscribe":{"channels":[{"channel":"chat:a"},{"channel":"chat:b"},{"channel":"chat:c"}]}}`)
			if got := l.expect("error"); got["code"] != 109.0 && got["code"] != 100.0 {
				t.Errorf("three channels: %v", got)
			}
		}},
		{"limits.commands_burst", func(c *config.Config) { c.Limits.CommandsPerSecond, c.Limits.CommandsBurst = 1, 2 }, func(t *testing.T, f *fixture) {
			l := f.anonymous()
			l.send(strings.Repeat("{\"id\":2,\"ping\":{}}\n", 4))
			limited := false
			for range 4 {
				message, _ := l.read()
				limited = limited || code(message["error"]) == 152
			}
			if !limited {
				t.Error("four commands at once were carried out")
			}
		}},
		{"limits.message_bytes", func(c *config.Config) { c.Limits.MessageBytes = config.KiB }, func(t *testing.T, f *fixture) {
			l := f.anonymous()
			l.send(`{"id":2,"publish":{"channel":"chat:a","data":"` + strings.Repeat("x", 1024) + `"}}`)
			l.expectEnd(1009)
		}},
		{"limits.fragments", func(c *config.Config) { c.Limits.Fragments = 2 }, func(t *testing.T, f *fixture) {
			if got := f.rawFrames("\x01\x81\x00\x00\x00\x00{", "\x00\x81\x00\x00\x00\x00}", "\x80\x81\x00\x00\x00\x00\n"); got != 1008 {
				t.Errorf("three frames: %d", got)
			}
		}},
		{"limits.token_bytes", func(c *config.Config) { c.Limits.TokenBytes = 512 }, func(t *testing.T, f *fixture) {
			token := mintFor(t, config.DevSecret, auth.Order{User: "alice", Info: []byte(`{"x":"` + strings.Repeat("x", 400) + `"}`)})
			l := f.dial("/ws", nil)
			l.send(fmt.Sprintf(`{"id":1,"connect":{"token":%q}}`, token))
			l.expectEnd(4401)
		}},
		{"limits.connect_timeout", func(c *config.Config) { c.Limits.ConnectTimeout = 100 * time.Millisecond }, func(t *testing.T, f *fixture) {
			f.dial("/ws", nil).expectEnd(4408)
		}},
		{"limits.connections", func(c *config.Config) { c.Limits.Connections = 1 }, func(t *testing.T, f *fixture) {
			f.anonymous()
			if status, _, _ := f.raw(upgrade("/ws")); status != 503 {
				t.Errorf("the second: %d", status)
			}
		}},
		{"limits.admission_per_second", func(c *config.Config) { c.Limits.AdmissionPerSecond = 1 }, func(t *testing.T, f *fixture) {
			refused := false
			for range 5 {
				status, _, _ := f.raw(upgrade("/ws"))
				refused = refused || status == 503
			}
			if !refused {
				t.Error("five at once were admitted")
			}
		}},
		{"limits.channels", func(c *config.Config) { c.Limits.Channels = 1 }, func(t *testing.T, f *fixture) {
			f.call("publish", `{"channel":"chat:a","data":1}`)
			if status, answer := f.call("publish", `{"channel":"chat:b","data":1}`); answer["name"] != "limit_exceeded" {
				t.Errorf("the second channel: %d %v", status, answer)
			}
		}},
		{"limits.held_bytes", func(c *config.Config) { c.Limits.HeldBytes = config.MiB }, func(t *testing.T, f *fixture) {
			for i := range 40 {
				f.call("publish", fmt.Sprintf(`{"channel":"chat:%d","data":%q}`, i%4, strings.Repeat("x", 60_000)))
			}
			if _, answer := f.call("history", `{"channel":"chat:0"}`); len(list(answer["publications"])) >= 10 {
				t.Error("2.4 MiB are held")
			}
		}},
		{"limits.frame_bytes", func(c *config.Config) { c.Limits.FrameBytes = 4 * config.KiB }, func(t *testing.T, f *fixture) {
			for range 10 {
				f.call("publish", fmt.Sprintf(`{"channel":"chat:a","data":%q}`, strings.Repeat("x", 1000)))
			}
			l := f.anonymous()
			l.send(`{"id":2,"subscribe":{"channels":[{"channel":"chat:a","rewind":10}]}}`)
			for read := 0; read < 10; {
				_, content, err := l.conn.Read(t.Context())
				if err != nil || len(content) > 4096 {
					t.Fatalf("a message of %d bytes, %v", len(content), err)
				}
				read += strings.Count(string(content), `"publication"`)
			}
		}},
		{"api.body_bytes", func(c *config.Config) { c.API.BodyBytes = config.KiB }, func(t *testing.T, f *fixture) {
			if status, _ := f.call("publish", `{"channel":"chat:a","data":"`+strings.Repeat("x", 1024)+`"}`); status != 413 {
				t.Errorf("a body of more than 1 KiB: %d", status)
			}
		}},
		{"api.broadcast_channels", func(c *config.Config) { c.API.BroadcastChannels = 1 }, func(t *testing.T, f *fixture) {
			if status, _ := f.call("broadcast", `{"channels":["chat:a","chat:b"],"data":1}`); status != 400 {
				t.Errorf("two channels: %d", status)
			}
		}},
		{"api.batch_commands", func(c *config.Config) { c.API.BatchCommands = 1 }, func(t *testing.T, f *fixture) {
			if status, _ := f.call("batch", `{"commands":[{"publish":{"channel":"chat:a","data":1}},{"publish":{"channel":"chat:a","data":2}}]}`); status != 400 {
				t.Errorf("two commands: %d", status)
			}
		}},
		{"api.streams", func(c *config.Config) { c.API.Streams = 1 }, func(t *testing.T, f *fixture) {
			one := f.stream()
			one.send("{}\n")
			one.answer()
			if status, header, _ := f.raw(streamHead); status != 429 || header.Get("Retry-After") == "" {
				t.Errorf("the second: %d %v", status, header)
			}
			one.finish()
			two := f.stream()
			two.finish()
		}},
		{"api.stream_idle", func(c *config.Config) { c.API.StreamIdle = 100 * time.Millisecond }, func(t *testing.T, f *fixture) {
			if end := f.stream().end(); end.Error == nil || end.Error.Name != "timeout" {
				t.Errorf("an idle stream ends with %+v", end)
			}
		}},
		{"api.failures_per_minute", func(c *config.Config) { c.API.FailuresPerMinute = 1 }, func(t *testing.T, f *fixture) {
			wrong := http.Header{"Authorization": {"Bearer wrong"}}
			f.post("/api/v1/info", "", wrong)
			if status, _ := f.post("/api/v1/info", "", wrong); status != 429 {
				t.Errorf("the second: %d", status)
			}
		}},
		{"http.header_lines", func(c *config.Config) { c.HTTP.HeaderLines = 16 }, func(t *testing.T, f *fixture) {
			if status, _, _ := f.raw("GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + strings.Repeat("X-A: b\r\n", 16) + "\r\n"); status != 431 {
				t.Errorf("17 lines: %d", status)
			}
		}},
		{"http.idle_timeout", func(c *config.Config) { c.HTTP.IdleTimeout = time.Second }, func(t *testing.T, f *fixture) {
			if status, _, closed := f.raw("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"); status != 200 || !closed {
				t.Errorf("an idle connection: %d, closed %v", status, closed)
			}
		}},
	}
	for _, test := range tests {
		t.Run(test.key, func(t *testing.T) {
			f := start(t, test.set)
			test.exceed(t, f)
		})
	}
}

func code(value any) float64 {
	fields, _ := value.(map[string]any)
	number, _ := fields["code"].(float64)
	return number
}

func list(value any) []any {
	values, _ := value.([]any)
	return values
}

// rawFrames upgrades by hand, sends literal frames and returns the code of the server's Close frame.
func (f *fixture) rawFrames(frames ...string) int {
	f.t.Helper()
	conn, err := net.Dial("tcp", f.address())
	if err != nil {
		f.t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	fmt.Fprint(conn, upgrade("/ws"), strings.Join(frames, ""))
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		f.t.Fatalf("%v %v", response, err)
	}
	for {
		head := make([]byte, 2)
		if _, err := reader.Read(head); err != nil {
			f.t.Fatal(err)
		}
		payload := make([]byte, head[1])
		if _, err := reader.Read(payload); err != nil {
			f.t.Fatal(err)
		}
		if head[0] == 0x88 {
			return int(payload[0])<<8 | int(payload[1])
		}
	}
}
