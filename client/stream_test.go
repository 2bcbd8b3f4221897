package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/client/internal/modelserver"
	"github.com/bellwire/bellwire/protocol/native/wire"
	"github.com/bellwire/bellwire/realtime"
)

func publishMany(s *server, channel string, from, to int) {
	s.with(func(m *modelserver.Server) {
		for i := from; i <= to; i++ {
			m.Publish(channel, realtime.JSON(fmt.Append(nil, i)))
		}
	})
}

func TestARestartThatForgotIsToldAsMissed(t *testing.T) {
	s := startServer(t)
	c := connect(t, s, nil)
	lobby := c.Channel("chat:a", nil)
	publications := lobby.Publications(within(t))
	must(t, lobby.Subscribe(within(t)))
	publishMany(s, "chat:a", 1, 3)
	var told []string
	for p, err := range publications {
		var missed *client.MissedError
		switch {
		case errors.As(err, &missed):
			told = append(told, fmt.Sprintf("missed %d-%d", missed.From, missed.To))
		case err != nil:
			t.Fatal(err)
		default:
			told = append(told, string(p.Payload.Bytes))
		}
		switch len(told) {
		case 3:
			s.stop()
			s.with(func(m *modelserver.Server) { m.Restart() })
			publishMany(s, "chat:a", 100, 101)
			s.start()
		case 6:
			if got := strings.Join(told, " "); got != "1 2 3 missed 4-0 100 101" {
				t.Errorf("SUB-6: %s", got)
			}
			return
		}
	}
}

func TestAPositionLeadsOnInAnotherProcess(t *testing.T) {
	s := startServer(t)
	publishMany(s, "chat:a", 1, 5)
	var kept realtime.Position
	first := connect(t, s, nil)
	for p, err := range first.Channel("chat:a", &client.ChannelOptions{Rewind: 4}).Publications(within(t)) {
		must(t, err)
		if kept = p.Position; p.Position.Offset == 3 {
			break
		}
	}
	must(t, first.Close())
	second := connect(t, s, &client.Options{Format: client.Proto})
	for p, err := range second.Channel("chat:a", &client.ChannelOptions{Since: &kept}).Publications(within(t)) {
		must(t, err)
		if p.Position.Offset != 4 || !p.Replayed {
			t.Errorf("SUB-4: %+v", p)
		}
		break
	}
}

func TestASlowReaderIsToldAndDelaysNobody(t *testing.T) {
	s := startServer(t)
	c := connect(t, s, nil)
	slow := c.Channel("chat:a", &client.ChannelOptions{BufferMax: 3})
	slowEvents := slow.Publications(within(t))
	fast := c.Channel("chat:b", nil).Publications(within(t))
	must(t, slow.Subscribe(within(t)))
	must(t, c.Channel("chat:b", nil).Subscribe(within(t)))
	publishMany(s, "chat:a", 1, 50)
	publishMany(s, "chat:b", 1, 1)
	for _, err := range fast {
		must(t, err)
		break // What came after all of the other channel is here.
	}
	var last realtime.Position
	var ended error
	for p, err := range slowEvents {
		if err != nil {
			ended = err
			break
		}
		last = p.Position
	}
	var slowReader *client.SlowReaderError
	if !errors.As(ended, &slowReader) || realtime.CodeOf(ended) != realtime.CodeLimitExceeded {
		t.Fatalf("ended with %v", ended)
	}
	// The position the reader has leads on.
	slow.Unsubscribe()
	n := last.Offset
	for p, err := range c.Channel("chat:a", &client.ChannelOptions{Since: &last}).Publications(within(t)) {
		must(t, err)
		if n++; p.Position.Offset != n {
			t.Fatalf("got offset %d, want %d", p.Position.Offset, n)
		}
		if n == 50 {
			break
		}
	}
}

// newest is the connection that was made last; earlier clients may still be on their way out.
func newest(m *modelserver.Server) *modelserver.Conn { return m.Conns()[len(m.Conns())-1] }

func TestStreamsEndWithTheirReason(t *testing.T) {
	s := startServer(t)
	s.with(func(m *modelserver.Server) {
		m.Intercept = func(conn *modelserver.Conn, message *wire.ClientMessage) bool {
			command, ok := message.Command.(*wire.Subscribe)
			if !ok || command.Channels[0].Channel != "secret:a" {
				return false
			}
			conn.Push(&wire.Subscribed{Channel: "secret:a", Error: &wire.Error{Code: 103, Name: "permission_denied", Message: "no"}})
			return true
		}
	})
	rows := []struct {
		rule    string
		channel string
		end     func(c *client.Client, cancel context.CancelFunc)
		want    func(error) bool
	}{
		{"CLI-11: a refusal for good", "secret:a", func(*client.Client, context.CancelFunc) {},
			func(err error) bool { return realtime.CodeOf(err) == realtime.CodePermissionDenied }},
		{"CLI-11: the server ends it for good", "chat:a", func(*client.Client, context.CancelFunc) {
			s.with(func(m *modelserver.Server) { newest(m).Unsubscribe("chat:a", 301, "over") })
		}, func(err error) bool { return realtime.CodeOf(err) == realtime.CodePermissionRevoked }},
		{"the application unsubscribes", "chat:a", func(c *client.Client, _ context.CancelFunc) { c.Channel("chat:a", nil).Unsubscribe() },
			func(err error) bool { return realtime.CodeOf(err) == realtime.CodeUnsubscribed }},
		{"the context ends", "chat:a", func(_ *client.Client, cancel context.CancelFunc) { cancel() },
			func(err error) bool { return errors.Is(err, context.Canceled) }},
		{"CLI-1: the client is closed", "chat:a", func(c *client.Client, _ context.CancelFunc) { _ = c.Close() },
			func(err error) bool { return errors.Is(err, client.ErrClosed) }},
		{"COD-1: the connection is ended for good", "chat:a", func(*client.Client, context.CancelFunc) {
			s.with(func(m *modelserver.Server) { newest(m).Disconnect(4410, "go", 0) })
		}, func(err error) bool { return realtime.CodeOf(err) == realtime.CodeDisconnected }},
	}
	for _, row := range rows {
		t.Run(row.rule, func(t *testing.T) {
			c := connect(t, s, nil)
			ctx, cancel := context.WithCancel(within(t))
			defer cancel()
			channel := c.Channel(row.channel, nil)
			publications := channel.Publications(ctx)
			err := channel.Subscribe(within(t))
			row.end(c, cancel)
			if row.channel == "secret:a" && !row.want(err) {
				t.Errorf("Subscribe: %v", err)
			}
			for _, err := range publications {
				if !row.want(err) {
					t.Errorf("ended with %v", err)
				}
			}
			must(t, c.Close())
		})
	}
}

func TestAnEndForNowComesBackByItself(t *testing.T) {
	s := startServer(t)
	c := connect(t, s, nil)
	channel := c.Channel("chat:a", nil)
	events := channel.Events(within(t))
	must(t, channel.Subscribe(within(t)))
	s.with(func(m *modelserver.Server) { m.Conns()[0].Unsubscribe("chat:a", 350, "look again") })
	publishMany(s, "chat:a", 1, 1)
	var told []string
	for event, err := range events {
		must(t, err)
		told = append(told, strings.TrimPrefix(fmt.Sprintf("%T", event), "*client."))
		if _, ok := event.(*client.Publication); ok {
			break
		}
	}
	if got := strings.Join(told, " "); got != "Started Stopped Started Publication" {
		t.Errorf("CLI-11: %s", got)
	}
}

func TestACallbackThatPanicsDisturbsNobody(t *testing.T) {
	s := startServer(t)
	var log bytes.Buffer // written by one goroutine at a time, read after Close
	c := connect(t, s, &client.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	channel := c.Channel("chat:a", nil)
	got := make(chan string, 10)
	called := make(chan struct{}, 10)
	stopBad := channel.Handle(client.Handler{Publication: func(*client.Publication) { called <- struct{}{}; panic("bad callback") }})
	defer stopBad()
	stopGood := channel.Handle(client.Handler{
		Publication: func(p *client.Publication) { got <- string(p.Payload.Bytes) },
		Ended:       func(err error) { got <- err.Error() },
	})
	defer stopGood()
	must(t, channel.Subscribe(within(t)))
	publishMany(s, "chat:a", 1, 2)
	for _, want := range []string{"1", "2"} {
		<-called
		if value := <-got; value != want {
			t.Errorf("CLI-12: got %s, want %s", value, want)
		}
	}
	must(t, c.Close())
	if value := <-got; value != client.ErrClosed.Error() {
		t.Errorf("ended with %s", value)
	}
	if strings.Count(log.String(), "bad callback") != 2 {
		t.Errorf("CLI-12: two panics, logged are: %s", log.String())
	}
}

func TestAPatternGetsEveryMatchingChannel(t *testing.T) {
	s := startServer(t)
	c := connect(t, s, nil)
	all := c.Channel("chat:*", nil)
	publications := all.Publications(within(t))
	must(t, all.Subscribe(within(t)))
	publishMany(s, "poll:a", 1, 1)
	publishMany(s, "chat:a", 2, 2)
	s.with(func(m *modelserver.Server) { m.Change("chat:b", "k", realtime.JSON([]byte("3"))) })
	n := 0
	for p, err := range publications {
		must(t, err)
		if n++; n == 1 && (p.Channel != "chat:a" || string(p.Payload.Bytes) != "2" || !p.Position.IsZero()) {
			t.Errorf("SUB-10: %+v", p)
		}
		if n == 2 {
			if p.Channel != "chat:b" || p.State == nil || p.State.Key != "k" {
				t.Errorf("SUB-10: %+v", p)
			}
			break
		}
	}
}

func TestStateIsKept(t *testing.T) {
	s := startServer(t)
	s.with(func(m *modelserver.Server) {
		m.PageMax = 2
		for _, key := range []string{"a", "b", "c", "d", "e"} {
			m.Change("poll:1", key, realtime.JSON([]byte("1")))
		}
	})
	c := connect(t, s, nil)
	poll := c.Channel("poll:1", &client.ChannelOptions{State: true})
	held := map[string]string{}
	for event, err := range poll.Events(within(t)) {
		must(t, err)
		change, ok := event.(*client.StateChanged)
		if !ok {
			continue
		}
		if change.Reset {
			clear(held)
		}
		for _, entry := range change.Set {
			held[entry.Key] = string(entry.Value.Bytes)
		}
		if len(held) == 5 {
			break
		}
	}
	if snapshot := poll.Snapshot(); len(snapshot.Entries) != 5 || snapshot.Position.Offset != 5 {
		t.Errorf("SUB-8: %+v", snapshot)
	}
}

func TestConcurrentUseUntilClose(t *testing.T) {
	s := startServer(t)
	c := connect(t, s, &client.Options{CommandsPerSecond: 1000})
	var group sync.WaitGroup
	for i := range 8 {
		channel := c.Channel(fmt.Sprint("chat:", i%3), nil)
		group.Go(func() {
			for _, err := range channel.Publications(context.Background()) {
				if err != nil && !errors.Is(err, client.ErrClosed) && realtime.CodeOf(err) != realtime.CodeUnsubscribed {
					t.Error(err)
				}
			}
		})
		group.Go(func() {
			for n := range 10 {
				_, _ = channel.Publish(context.Background(), n, nil)
				_ = channel.Snapshot()
				_ = c.State()
				if n == 5 && i == 0 {
					s.cut()
					c.Network(true)
				}
				if n == 9 && i == 1 {
					channel.Unsubscribe()
				}
			}
		})
	}
	waitFor(t, s, func(m *modelserver.Server) bool { return len(m.Log("chat:0")) > 10 })
	must(t, c.Close())
	must(t, c.Close())
	group.Wait()
	if c.State().State != client.Closed {
		t.Error("not closed")
	}
}
