package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire/internal/safego"
	"github.com/bellwire/bellwire/websocket/frame"
)

// mob is those who abuse the server.
type mob struct {
	group                                                  *safego.Group
	address                                                string
	came, flooded, commands, slow, garbage, silent, failed atomic.Int64
	listened                                               atomic.Int64
	wrong                                                  atomic.Pointer[error] // what a listener saw first that must not be; nil: nothing
}

func newMob(address string, group *safego.Group) *mob { return &mob{address: address, group: group} }

func (m *mob) String() string {
	return fmt.Sprintf("\n%d came and went, %d flooded with %d commands, %d read nothing, %d sent garbage, %d said nothing, %d listened to events; %d could not connect",
		m.came.Load(), m.flooded.Load(), m.commands.Load(), m.slow.Load(), m.garbage.Load(), m.silent.Load(), m.listened.Load(), m.failed.Load())
}

// start lets them all loose until ctx ends. Each kind has a loopback address of its own.
func (m *mob) start(ctx context.Context) {
	crowd := func(count int, do func(ctx context.Context, from string), from string) {
		for range count {
			m.group.Go("mob", func() {
				for ctx.Err() == nil {
					do(ctx, from)
				}
			}, nil)
		}
	}
	crowd(4, m.comeAndGo, "127.0.0.2")
	crowd(2, m.flood, "127.0.0.3")
	crowd(20, m.readNothing, "127.0.0.4")
	crowd(1, m.sendGarbage, "127.0.0.5")
	crowd(50, m.sayNothing, "127.0.0.6")
	crowd(1, m.publish, "127.0.0.7")
	crowd(20, m.listen, "127.0.0.8")
	crowd(10, m.hearNothing, "127.0.0.9")
}

// rest is the time between two acts of one of them: they are many and persistent, not all there is on the machine.
func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// open connects and shakes hands. It rests after a failure.
func (m *mob) open(ctx context.Context, from string) (net.Conn, *bufio.Reader) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 10 * time.Second}
	line, err := dialer.DialContext(ctx, "tcp", m.address)
	if err == nil {
		line.SetDeadline(time.Now().Add(30 * time.Second))
		_, err = io.WriteString(line, "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	}
	var reader *bufio.Reader
	if err == nil {
		reader = bufio.NewReaderSize(line, 4<<10)
		var answer *http.Response
		if answer, err = http.ReadResponse(reader, nil); err == nil && answer.StatusCode != http.StatusSwitchingProtocols {
			err = fmt.Errorf("answered %s", answer.Status)
		}
	}
	if err == nil {
		return line, reader
	}
	if line != nil {
		line.Close()
	}
	m.failed.Add(1)
	rest(ctx, 100*time.Millisecond)
	return nil, nil
}

// message is a masked text frame, with a key of zeros.
func message(text string) []byte {
	head := frame.Header{Fin: true, Opcode: frame.Text, Masked: true, Length: uint64(len(text))}
	return append(frame.Append(nil, head), text...)
}

// discard reads what comes until the line ends.
func (m *mob) discard(line io.Reader) {
	m.group.Go("reader", func() { io.Copy(io.Discard, line) }, nil)
}

// comeAndGo is seen in a busy room for a moment, and leaves politely, by a reset, or without waiting for anything.
func (m *mob) comeAndGo(ctx context.Context, from string) {
	line, reader := m.open(ctx, from)
	if line == nil {
		return
	}
	defer line.Close()
	m.came.Add(1)
	line.Write(message(`{"id":1,"connect":{"subscribe":[{"channel":"chat:soak","presence":"members","enter":{"name":"x"},"rewind":10},{"channel":"hot:*"}]}}`))
	if rand.IntN(3) > 0 {
		reader.Peek(1)
	}
	if rand.IntN(2) == 0 {
		line.(*net.TCPConn).SetLinger(0)
	}
	rest(ctx, time.Duration(rand.IntN(100))*time.Millisecond)
}

// flood sends commands as long as they are taken.
func (m *mob) flood(ctx context.Context, from string) {
	line, reader := m.open(ctx, from)
	if line == nil {
		return
	}
	defer line.Close()
	m.flooded.Add(1)
	m.discard(reader)
	line.Write(message(`{"id":1,"connect":{}}`))
	many := message(strings.Repeat(`{"id":2,"publish":{"channel":"chat:flood","data":"flood"}}`+"\n", 50))
	for ctx.Err() == nil {
		if _, err := line.Write(many); err != nil {
			break
		}
		m.commands.Add(50)
		rest(ctx, time.Millisecond)
	}
	rest(ctx, 200*time.Millisecond)
}

// readNothing subscribes to the busy channel, and lets everything pile up until the server ends it.
func (m *mob) readNothing(ctx context.Context, from string) {
	line, _ := m.open(ctx, from)
	if line == nil {
		return
	}
	defer line.Close()
	m.slow.Add(1)
	line.(*net.TCPConn).SetReadBuffer(4 << 10)
	line.Write(message(`{"id":1,"connect":{"subscribe":[{"channel":"chat:hot"}]}}`))
	rest(ctx, 15*time.Second)
}

// hearNothing is readNothing by Server-Sent Events.
func (m *mob) hearNothing(ctx context.Context, from string) {
	line, _ := m.openEvents(ctx, from, "")
	if line == nil {
		return
	}
	defer line.Close()
	m.slow.Add(1)
	line.(*net.TCPConn).SetReadBuffer(4 << 10)
	rest(ctx, 15*time.Second)
}

// publish keeps the busy channel busy.
func (m *mob) publish(ctx context.Context, from string) {
	line, reader := m.open(ctx, from)
	if line == nil {
		return
	}
	defer line.Close()
	m.discard(reader)
	line.Write(message(`{"connect":{}}`))
	busy := message(`{"publish":{"channel":"chat:hot","data":"` + strings.Repeat("h", 4000) + `"}}`)
	for ctx.Err() == nil {
		line.SetDeadline(time.Now().Add(30 * time.Second))
		if _, err := line.Write(busy); err != nil {
			return
		}
		rest(ctx, 25*time.Millisecond)
	}
}

// sendGarbage sends what is no frame, no message, or no command.
func (m *mob) sendGarbage(ctx context.Context, from string) {
	line, reader := m.open(ctx, from)
	if line == nil {
		return
	}
	defer line.Close()
	m.garbage.Add(1)
	noise := make([]byte, 1+rand.IntN(2000))
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	switch rand.IntN(3) {
	case 0:
		line.Write(noise)
	case 1:
		line.Write(message(string(noise)))
	case 2:
		line.Write(message(`{"id":1,"connect":{}}` + "\n" + `{"id":2,"publish":{"channel":` + strings.Repeat("[", 1000)))
	}
	reader.Peek(1)
	rest(ctx, 20*time.Millisecond)
}

// sayNothing connects and waits, sometimes with half a request.
func (m *mob) sayNothing(ctx context.Context, from string) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	line, err := dialer.DialContext(ctx, "tcp", m.address)
	if err != nil {
		m.failed.Add(1)
		rest(ctx, 100*time.Millisecond)
		return
	}
	defer line.Close()
	m.silent.Add(1)
	if rand.IntN(2) == 0 {
		io.WriteString(line, "GET /ws HTTP/1.1\r\nHost: loc")
	}
	line.SetReadDeadline(time.Now().Add(20 * time.Second))
	line.Read(make([]byte, 1)) // returns when the server has had enough
	rest(ctx, time.Second)
}

// leftovers looks at what the server still has of them, once it has had time to notice that they are gone.
func (m *mob) leftovers(pid int) error {
	if wrong := m.wrong.Load(); wrong != nil {
		return fmt.Errorf("a listener to events: %w", *wrong)
	}
	var metrics string
	for range 100 {
		if metrics = m.metrics(); strings.Contains(metrics, "\nbellwire_connections 0\n") {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	for _, line := range []string{"bellwire_connections 0", "bellwire_subscriptions 0", "bellwire_users 0"} {
		if !strings.Contains(metrics, "\n"+line+"\n") {
			return fmt.Errorf("the metrics do not say %s", line)
		}
	}
	if strings.Contains(metrics, "bellwire_panics_total{") {
		return fmt.Errorf("something panicked")
	}
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err == nil && len(entries) > 100 {
		err = fmt.Errorf("%d descriptors are open", len(entries))
	}
	return err
}

func (m *mob) metrics() string {
	response, err := http.Get("http://" + m.address + "/metrics")
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
