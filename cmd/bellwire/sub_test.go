package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/realtime"
)

func TestSubPrintsOneObjectALine(t *testing.T) {
	at := realtime.Position{Epoch: "kf3", Offset: 41}
	from := realtime.Publisher{User: "alice", Connection: "c1"}
	rows := []struct {
		rule  string
		event client.Event
		want  string
	}{
		{"JSON", &client.Publication{Channel: "chat:a", Position: at, ID: "b6Jx", From: from, Payload: realtime.JSON([]byte(`{"a":"<b>"}`))},
			`{"channel":"chat:a","epoch":"kf3","offset":41,"id":"b6Jx","from":{"user":"alice","connection":"c1"},"data":{"a":"<b>"}}`},
		{"what is empty is left out", &client.Publication{Channel: "chat:b", Payload: realtime.JSON([]byte(`null`))}, `{"channel":"chat:b","data":null}`},
		{"MSG-8: bytes", &client.Publication{Channel: "chat:a", Payload: realtime.Binary([]byte{0, 255})}, `{"channel":"chat:a","data64":"AP8="}`},
		{"no bytes are bytes", &client.Publication{Channel: "chat:a", Payload: realtime.Binary(nil)}, `{"channel":"chat:a","data64":""}`},
		{"POS-7: a change by a pattern", &client.Publication{Channel: "poll:a", State: &realtime.StateChange{Key: "tea", Value: realtime.JSON([]byte(`3`))}},
			`{"channel":"poll:a","state":{"key":"tea","value":3}}`},
		{"POS-7: a change", &client.StateChanged{Position: at, Set: []realtime.Entry{{Key: "tea", Value: realtime.Binary([]byte("x")), Version: 41}}},
			`{"channel":"chat:a","epoch":"kf3","offset":41,"state":{"key":"tea","value64":"eA=="}}`},
		{"POS-7: a removal", &client.StateChanged{Position: at, Removed: []string{"tea"}},
			`{"channel":"chat:a","epoch":"kf3","offset":41,"state":{"key":"tea","removed":true}}`},
		{"SUB-8: a snapshot", &client.StateChanged{Reset: true, Set: []realtime.Entry{{Key: "a", Value: realtime.JSON([]byte("1")), Version: 3}, {Key: "b", Value: realtime.JSON([]byte("2")), Version: 2}}},
			`{"channel":"chat:a","offset":3,"state":{"key":"a","value":1}}` + "\n" + `{"channel":"chat:a","offset":2,"state":{"key":"b","value":2}}`},
		{"news for people are none for programs", &client.Started{Position: at}, ""},
		{"news for people are none for programs", &client.Missed{From: 3, To: 9}, ""},
	}
	for _, row := range rows {
		t.Run(row.rule, func(t *testing.T) {
			s := subscriber{status: status{out: io.Discard}}
			var out bytes.Buffer
			encoder := json.NewEncoder(&out)
			encoder.SetEscapeHTML(false)
			for _, line := range s.linesOf("chat:a", row.event) {
				if err := encoder.Encode(line); err != nil {
					t.Fatal(err)
				}
			}
			if got := strings.TrimSpace(out.String()); got != row.want {
				t.Errorf("got  %s\nwant %s", got, row.want)
			}
		})
	}
}

// running is a command whose output can be waited for, line by line.
type running struct {
	*exec.Cmd
	t      *testing.T
	out    *bufio.Scanner
	errOut *bufio.Scanner
}

func (s *sandbox) run(text string) *running {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), docsPatience)
	s.t.Cleanup(cancel)
	r := &running{Cmd: s.command(ctx, text), t: s.t}
	out, err := r.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	errOut, err := r.StderrPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	r.out, r.errOut = bufio.NewScanner(out), bufio.NewScanner(errOut)
	if err := r.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { cancel(); _ = r.Wait() })
	return r
}

// await reads until a line has the text.
func (r *running) await(lines *bufio.Scanner, want string) string {
	r.t.Helper()
	for lines.Scan() {
		if strings.Contains(lines.Text(), want) {
			return lines.Text()
		}
	}
	r.t.Fatalf("%q never came: %v", want, lines.Err())
	return ""
}

// data is what the next line of output says.
func (r *running) data() (line subLine) {
	r.t.Helper()
	if !r.out.Scan() {
		r.t.Fatalf("the output has ended: %v", r.out.Err())
	}
	if err := json.Unmarshal(r.out.Bytes(), &line); err != nil {
		r.t.Fatalf("%s: %v", r.out.Text(), err)
	}
	return line
}

// ends waits for the exit code.
func (r *running) ends(want int) (rest string) {
	r.t.Helper()
	for r.out.Scan() {
		rest += r.out.Text() + "\n"
	}
	for r.errOut.Scan() {
		rest += r.errOut.Text() + "\n"
	}
	_ = r.Wait()
	if code := r.ProcessState.ExitCode(); code != want {
		r.t.Fatalf("exit code %d, want %d: %s", code, want, rest)
	}
	return rest
}

func TestPubAndSubAcrossARestartOfTheServer(t *testing.T) {
	s := newSandbox(t)
	server := s.process("bellwire serve --dev --no-demo")
	s.awaitStatus("/readyz", http.StatusOK)
	sub := s.run("exec bellwire sub demo:a chat:a 'poll:*' --count 8")
	for range 3 {
		sub.await(sub.errOut, "subscribed")
	}
	if out := s.run(`exec bellwire pub chat:a '{"text":"hi"}' --id one`); !strings.Contains(out.ends(0), `"offset":1}`) {
		t.Error("PUB-1: pub prints no position")
	}
	if out := s.run(`exec bellwire pub chat:a '{"text":"hi"}' --id one`); !strings.Contains(out.ends(0), `"duplicate":true}`) {
		t.Error("POS-6: pub does not say that it was a duplicate")
	}
	if line := sub.data(); line.Channel != "chat:a" || string(line.Data) != `{"text":"hi"}` || line.ID != "one" || line.From == nil || line.TimeMS == 0 {
		t.Errorf("got %+v", line)
	}
	out := s.run(`printf 'plain text\n{"a": 1}\n3\n' | bellwire pub poll:x --binary`)
	if rest := out.ends(0); !strings.Contains(rest, "3 published, 0 failed") {
		t.Errorf("pub says %s", rest)
	}
	for _, want := range []string{"cGxhaW4gdGV4dA==", "eyJhIjogMX0=", "Mw=="} {
		if line := sub.data(); line.Channel != "poll:x" || line.Data64 == nil || *line.Data64 != want {
			t.Errorf("SUB-10: got %+v, want %s", line, want)
		}
	}

	// Killed without a word, and started anew without what it held.
	_ = server.Process.Kill()
	<-server.ended
	sub.await(sub.errOut, "the line is down")
	waiting := s.run(`seq 1 4 | exec bellwire pub demo:a`)
	server = s.process("bellwire serve --dev --no-demo")
	if rest := waiting.ends(0); !strings.Contains(rest, "4 published, 0 failed") {
		t.Errorf("CLI-7: pub says %s", rest)
	}
	for n := range 4 {
		if line := sub.data(); line.Channel != "demo:a" || string(line.Data) != fmt.Sprint(n+1) || line.Offset != uint64(n+1) {
			t.Errorf("SUB-6: got %+v, want %d", line, n+1)
		}
	}
	sub.ends(0)
	_ = server.Process.Signal(syscall.SIGTERM)
	<-server.ended
}

func TestPubTellsLinesThatWereNotPublished(t *testing.T) {
	s := newSandbox(t)
	s.start("bellwire serve --dev --no-demo")
	s.awaitStatus("/readyz", http.StatusOK)
	pub := s.run(`{ echo 1; head -c 70000 /dev/zero | tr '\0' x; echo; printf '\377\n'; echo 4; } | bellwire pub chat:a`)
	rest := pub.ends(1)
	for _, want := range []string{"line 2: too_large (110)", "line 3: it is not UTF-8", "2 published, 2 failed", "2 lines were not published"} {
		if !strings.Contains(rest, want) {
			t.Errorf("%q is not in %s", want, rest)
		}
	}
}

func TestSubGoesOnFromAPosition(t *testing.T) {
	s := newSandbox(t)
	s.start("bellwire serve --dev --no-demo")
	s.awaitStatus("/readyz", http.StatusOK)
	s.run("seq 1 9 | bellwire pub chat:a --quiet").ends(0)
	first := s.run("exec bellwire sub chat:a --rewind 9 --count 4")
	var last subLine
	for range 4 {
		last = first.data()
	}
	first.ends(0)
	second := s.run(fmt.Sprintf("exec bellwire sub chat:a --since %s:%d --count 5", last.Epoch, last.Offset))
	for want := 5; want <= 9; want++ {
		if line := second.data(); string(line.Data) != fmt.Sprint(want) {
			t.Errorf("SUB-4: got %s, want %d", line.Data, want)
		}
	}
	second.ends(0)
	gone := s.run("exec bellwire sub chat:a --since other:3 --count 9")
	gone.await(gone.errOut, "what was published after offset 3 is gone")
	gone.ends(0)
}

func TestSubEndsQuietlyWhenNobodyReads(t *testing.T) {
	s := newSandbox(t)
	s.start("bellwire serve --dev --no-demo")
	s.awaitStatus("/readyz", http.StatusOK)
	sub := s.run(`bellwire sub chat:a --quiet | head -n 1; echo "exit ${PIPESTATUS[0]}"`)
	s.run(`seq 1 3 | bellwire pub chat:a --quiet`).ends(0)
	// The pipe is known to be broken only by writing to it.
	ended := make(chan struct{})
	var publishing sync.WaitGroup
	publishing.Go(func() {
		for {
			select {
			case <-ended:
				return
			default:
				_ = s.command(t.Context(), "exec bellwire pub chat:a again --quiet").Run()
			}
		}
	})
	rest := sub.ends(0)
	close(ended)
	publishing.Wait()
	if !strings.Contains(rest, "exit 0") || strings.Contains(rest, "pipe") {
		t.Errorf("sub says %s", rest)
	}
}

func TestDemoPublishesThroughTheServersAPI(t *testing.T) {
	s := newSandbox(t)
	s.start("bellwire serve --dev --no-demo")
	s.awaitStatus("/readyz", http.StatusOK)
	sub := s.run("exec bellwire sub metrics:host --rewind 300 --count 2")
	demo := s.run("exec bellwire demo --url http://127.0.0.1:8000 --key dev")
	for range 2 {
		line := sub.data()
		var sample struct {
			TimeMS int64 `json:"time_ms"`
			Memory struct{ Used, Total uint64 }
		}
		if err := json.Unmarshal(line.Data, &sample); err != nil || sample.TimeMS == 0 || sample.Memory.Total == 0 {
			t.Errorf("got %s, %v", line.Data, err)
		}
	}
	sub.ends(0)
	_ = demo.Process.Signal(syscall.SIGTERM)
	demo.ends(0)
	if rest := s.run("exec bellwire demo --url http://127.0.0.1:8000 --key wrong").ends(1); !strings.Contains(rest, "401") {
		t.Errorf("a wrong key: %s", rest)
	}
}
