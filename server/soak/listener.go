package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// listenerPosition is where a listener is.
type listenerPosition struct {
	id     string // of the last event; "": none
	offset int    // that the id names
}

// listen follows the busy channel by Server-Sent Events, loses its line again and again in the middle of it, goes on where
// it was, and sees that nothing is missing and nothing comes twice.
func (m *mob) listen(ctx context.Context, from string) {
	var at listenerPosition
	for ctx.Err() == nil {
		line, events := m.openEvents(ctx, from, at.id)
		if line == nil {
			continue
		}
		m.listened.Add(1)
		stop := time.Now().Add(time.Duration(rand.IntN(2000)) * time.Millisecond)
		for time.Now().Before(stop) && ctx.Err() == nil {
			if err := at.next(events); err != nil {
				if ctx.Err() == nil {
					m.wrong.CompareAndSwap(nil, &err)
				}
				break
			}
		}
		line.Close()
	}
}

// openEvents opens a line, and rests after a failure.
func (m *mob) openEvents(ctx context.Context, from, lastID string) (net.Conn, *bufio.Reader) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 10 * time.Second}
	line, err := dialer.DialContext(ctx, "tcp", m.address)
	if err == nil {
		line.SetDeadline(time.Now().Add(30 * time.Second))
		_, err = fmt.Fprintf(line, "GET /sse?channels=chat:hot&last_event_id=%s HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n", url.QueryEscape(lastID))
	}
	if err == nil {
		events := bufio.NewReader(line)
		var answer *http.Response
		if answer, err = http.ReadResponse(events, nil); err == nil && answer.StatusCode == http.StatusOK {
			return line, bufio.NewReader(answer.Body)
		}
	}
	if line != nil {
		line.Close()
	}
	m.failed.Add(1)
	rest(ctx, 100*time.Millisecond)
	return nil, nil
}

// next reads an event. An error says that something is missing, comes twice, or is no event.
func (at *listenerPosition) next(events *bufio.Reader) error {
	id, isPublication, isSubscribed := "", false, false
	for {
		text, err := events.ReadString('\n')
		if err != nil {
			if err == io.EOF || strings.Contains(err.Error(), "timeout") {
				return nil // it was ended in between, which is no fault of order
			}
			return err
		}
		text = strings.TrimSuffix(text, "\n")
		if text == "" {
			break
		}
		if value, found := strings.CutPrefix(text, "id: "); found {
			id = value
		}
		isPublication = isPublication || strings.HasPrefix(text, `data: {"publication"`)
		isSubscribed = isSubscribed || strings.HasPrefix(text, `data: {"subscribed"`)
		if isSubscribed && at.id != "" && strings.Contains(text, `"recovered":false`) {
			return fmt.Errorf("not recovered from %s: %s", at.id, text)
		}
	}
	if id == "" {
		return nil // a comment, or the answer to connect
	}
	offset, err := strconv.Atoi(id[strings.LastIndexByte(id, '|')+1:])
	switch {
	case err != nil:
		return fmt.Errorf("the id %q", id)
	case isPublication && at.id != "" && offset != at.offset+1, isSubscribed && at.id != "" && offset != at.offset:
		return fmt.Errorf("%s after %s", id, at.id)
	}
	at.id, at.offset = id, offset
	return nil
}
