package http2

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"golang.org/x/net/http2"
)

// receive acts on a frame of the server. An error ends the connection, or one stream where it is that stream's.
func (c *carrier) receive(frame http2.Frame) error {
	c.mu.Lock()
	settings := c.settings
	c.mu.Unlock()
	if _, ok := frame.(*http2.SettingsFrame); !ok && !settings {
		return http2.ConnectionError(http2.ErrCodeProtocol) // RFC 9113 3.4: they come first
	}
	switch frame := frame.(type) {
	case *http2.SettingsFrame:
		return c.receiveSettings(frame)
	case *http2.MetaHeadersFrame:
		return c.receiveHead(frame)
	case *http2.DataFrame:
		return c.receiveData(frame)
	case *http2.RSTStreamFrame:
		c.receiveReset(frame)
	case *http2.WindowUpdateFrame:
		return c.receiveWindow(frame)
	case *http2.GoAwayFrame:
		c.receiveGoAway(frame)
	case *http2.PingFrame:
		if !frame.IsAck() {
			data := frame.Data
			return c.write(func() error { return c.framer.WritePing(true, data) })
		}
	case *http2.PushPromiseFrame:
		return http2.ConnectionError(http2.ErrCodeProtocol) // RFC 9113 6.6: it was switched off
	}
	return nil // RFC 9113 4.1: others are ignored
}

func (c *carrier) receiveSettings(frame *http2.SettingsFrame) error {
	if frame.IsAck() {
		return nil
	}
	tableBytes := int64(-1)
	c.mu.Lock()
	err := frame.ForeachSetting(func(setting http2.Setting) error {
		if setting.ID == http2.SettingHeaderTableSize {
			tableBytes = int64(setting.Val)
		}
		return c.applyLocked(setting)
	})
	if err == nil && !c.settings && c.err == nil {
		c.settings = true
		close(c.settled)
	}
	c.mu.Unlock()
	if err != nil {
		return err
	}
	return c.write(func() error {
		if tableBytes >= 0 {
			c.encoder.SetMaxDynamicTableSizeLimit(uint32(min(tableBytes, 4096)))
		}
		return c.framer.WriteSettingsAck()
	})
}

func (c *carrier) applyLocked(setting http2.Setting) error {
	if err := setting.Valid(); err != nil {
		return err
	}
	switch setting.ID {
	case http2.SettingMaxConcurrentStreams:
		c.allowed = int(min(setting.Val, windowMax))
	case http2.SettingInitialWindowSize:
		change := int64(setting.Val) - c.windowFirst
		c.windowFirst = int64(setting.Val)
		for _, s := range c.streams {
			if s.window += change; s.window > windowMax {
				return http2.ConnectionError(http2.ErrCodeFlowControl) // RFC 9113 6.9.2
			}
			s.wakeLocked()
		}
	case http2.SettingEnableConnectProtocol:
		if setting.Val == 0 && c.offered {
			return http2.ConnectionError(http2.ErrCodeProtocol) // RFC 8441 3: it cannot be taken back
		}
		c.offered = setting.Val == 1
	}
	return nil
}

func (c *carrier) receiveHead(frame *http2.MetaHeadersFrame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.streams[frame.StreamID]
	if s == nil {
		return c.unknownLocked(frame.StreamID)
	}
	if s.response != nil { // trailers
		if !frame.StreamEnded() {
			return http2.StreamError{StreamID: s.id, Code: http2.ErrCodeProtocol}
		}
		s.endReadLocked(io.EOF)
		return nil
	}
	status, err := strconv.Atoi(frame.PseudoValue("status"))
	if err != nil || frame.Truncated || status == http.StatusSwitchingProtocols {
		return http2.StreamError{StreamID: s.id, Code: http2.ErrCodeProtocol, Cause: errHead}
	}
	if status < 200 {
		return nil
	}
	header := make(http.Header)
	for _, field := range frame.RegularFields() {
		header.Add(field.Name, field.Value)
	}
	s.response = &http.Response{
		Status: strconv.Itoa(status) + " " + http.StatusText(status), StatusCode: status,
		Proto: "HTTP/2.0", ProtoMajor: 2, Header: header, ContentLength: -1,
	}
	if secure, ok := c.line.(*tls.Conn); ok {
		state := secure.ConnectionState()
		s.response.TLS = &state
	}
	close(s.answered)
	if frame.StreamEnded() {
		s.endReadLocked(io.EOF)
	}
	return nil
}

func (c *carrier) receiveData(frame *http2.DataFrame) error {
	id, length := frame.StreamID, frame.Length
	// The window of all streams is given back unread: what they hold is bounded by their own.
	if c.owed += length; c.owed >= windowOwedMax {
		owed := c.owed
		c.owed = 0
		if err := c.write(func() error { return c.framer.WriteWindowUpdate(0, owed) }); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.streams[id]
	if s == nil {
		return c.unknownLocked(id)
	}
	switch {
	case s.response == nil || s.readErr != nil:
		return http2.StreamError{StreamID: id, Code: http2.ErrCodeProtocol}
	case int64(length) > s.receivable:
		return http2.StreamError{StreamID: id, Code: http2.ErrCodeFlowControl} // RFC 9113 6.9.1
	}
	s.receivable -= int64(length)
	s.owed += int64(length) - int64(len(frame.Data())) // padding is read by nobody
	s.unread = append(s.unread, frame.Data()...)
	if frame.StreamEnded() {
		s.endReadLocked(io.EOF)
	}
	s.wakeLocked()
	return nil
}

// unknownLocked judges a frame for a stream that is not there: it may just have ended.
func (c *carrier) unknownLocked(id uint32) error {
	if id%2 == 0 || id >= c.nextID {
		return http2.ConnectionError(http2.ErrCodeProtocol) // RFC 9113 5.1: it never was
	}
	return nil
}

func (c *carrier) receiveReset(frame *http2.RSTStreamFrame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.streams[frame.StreamID]
	switch {
	case s == nil:
	case frame.ErrCode == http2.ErrCodeNo && s.readErr == io.EOF:
		s.unwanted = true // RFC 9113 8.1: all was said, and nothing more is wanted
		s.endWriteLocked()
	default:
		s.endLocked(fmt.Errorf("the server reset the stream: %w", http2.StreamError{StreamID: s.id, Code: frame.ErrCode}))
	}
}

func (c *carrier) receiveWindow(frame *http2.WindowUpdateFrame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if frame.StreamID == 0 {
		if c.window += int64(frame.Increment); c.window > windowMax {
			return http2.ConnectionError(http2.ErrCodeFlowControl)
		}
		for _, s := range c.streams {
			s.wakeLocked()
		}
		return nil
	}
	s := c.streams[frame.StreamID]
	if s == nil {
		return c.unknownLocked(frame.StreamID)
	}
	if s.window += int64(frame.Increment); s.window > windowMax {
		return http2.StreamError{StreamID: s.id, Code: http2.ErrCodeFlowControl}
	}
	s.wakeLocked()
	return nil
}

// receiveGoAway lets the streams that the server has taken go on (RFC 9113 6.8).
func (c *carrier) receiveGoAway(frame *http2.GoAwayFrame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leaving = true
	for id, s := range c.streams {
		if id > frame.LastStreamID {
			s.endLocked(errLeaving)
		}
	}
}
