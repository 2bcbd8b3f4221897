package core

import (
	"math"

	"github.com/bellwire/bellwire/protocol/native/wire"
	"github.com/bellwire/bellwire/realtime"
)

// A phase is how far a line has come.
type phase uint8

const (
	phaseNone     phase = iota // no line
	phaseOpening               // asked for
	phaseGreeting              // connect is sent
	phaseLive                  // connect is answered
)

// A line is one attempt and, when it succeeds, the connection over it.
type line struct {
	number      int
	phase       phase
	timeoutAt   int64 // until phaseLive (CLI-2)
	connectedAt int64
	receivedAt  int64
	pingMS      int64
	pongMS      int64
	pongAt      int64 // when the line is lost; never while no ping is unanswered (LIV-2)
	paceAt      int64 // the due time of pacing

	inFlight map[uint32]*command
	served   map[string]*served // by channel or pattern
}

// served is what the server was asked for a channel on this line.
type served struct {
	awaited int  // answers to subscribe that are still to come
	wanted  bool // the last message sent for it was subscribe, and the server has not ended it
}

func noLine() line { return line{timeoutAt: never, pongAt: never} }

// livenessAt is when a ping is due, or when its answer is overdue.
func (l *line) livenessAt() int64 {
	if l.pongAt != never {
		return l.pongAt
	}
	return l.receivedAt + l.pingMS
}

func (l *line) servedFor(channel string) *served {
	s := l.served[channel]
	if s == nil {
		s = &served{}
		l.served[channel] = s
	}
	return s
}

// begin starts an attempt: with a token where one can be had (CLI-3).
func (c *Core) begin(now int64) {
	c.retryAt = never
	if c.options.TokenSource && c.token.value == "" {
		c.fetchToken()
	} else {
		c.open(now)
	}
	c.become(StateChange{State: Connecting})
}

// open asks for a line. Opening and the connect reply have one timeout (CLI-2).
func (c *Core) open(now int64) {
	c.lines++
	timeout := math.Floor(float64(c.options.ConnectTimeoutMS) * math.Pow(1.5, float64(c.failures)))
	c.line = line{
		number:    c.lines,
		phase:     phaseOpening,
		timeoutAt: now + int64(min(timeout, connectTimeoutMaxMS)),
		pongAt:    never,
		inFlight:  make(map[uint32]*command),
		served:    make(map[string]*served),
	}
	c.put(&Open{Line: c.lines, URL: c.options.URLs[c.urlIndex%len(c.options.URLs)]})
}

// LineOpened tells that a line that was asked for is there.
func (c *Core) LineOpened(now int64, line int) {
	if line != c.line.number {
		c.put(&Close{Line: line, Code: 1000}) // CLI-2: never two live lines
		return
	}
	if c.line.phase != phaseOpening {
		return
	}
	c.line.phase = phaseGreeting
	c.line.receivedAt = now
	c.greet(now)
}

// LineClosed tells that a line is gone or could not be opened. Without a Close frame the code is 1006.
func (c *Core) LineClosed(now int64, line int, code realtime.Code, reason string) {
	if line != c.line.number || c.line.phase == phaseNone {
		return
	}
	c.endByCode(now, code, reason, 0)
}

// receiveConnected takes the answer to connect.
func (c *Core) receiveConnected(now int64, session *wire.Connected) {
	c.line.phase = phaseLive
	c.line.timeoutAt = never
	c.line.connectedAt = now
	c.line.pingMS = liveness(session.PingMS, pingMS)
	c.line.pongMS = liveness(session.PongMS, pongMS)
	c.window(session.Reconnect)
	c.messageBytes = messageBytes
	if session.MessageBytes != 0 {
		c.messageBytes = int(min(session.MessageBytes, math.MaxInt32))
	}
	c.token.accepted(now, session.ExpiresMS, c.options.TokenSource)
	c.become(StateChange{State: Connected, Session: session})
}

func liveness(ms uint64, otherwise int64) int64 {
	if ms == 0 {
		return otherwise
	}
	return int64(max(min(ms, math.MaxInt32), livenessMinMS))
}

// receiveDisconnect takes the server's last message (SRV-7).
func (c *Core) receiveDisconnect(now int64, body *wire.Disconnect) {
	c.window(body.Reconnect)
	code := body.Code
	if code == 0 {
		code = realtime.CodeServerError
	}
	c.endByCode(now, code, body.Reason, 1000)
}

// endByCode ends the line with a code of the server or the socket: its range says whether to connect again (COD-1).
func (c *Core) endByCode(now int64, code realtime.Code, reason string, closeCode realtime.Code) {
	if code == realtime.CodeExpired && c.options.TokenSource {
		c.token.value = ""
	}
	change := StateChange{Code: code, Reason: reason}
	if code.Retry() {
		c.endLine(now, closeCode, change)
		return
	}
	change.State = Closed
	c.closed(closeCode, change)
}

// endLine ends a line that is lost, or an attempt that failed, and plans the next one (LIV-3). A closeCode of 0 is for a
// line that closed by itself.
func (c *Core) endLine(now int64, closeCode realtime.Code, change StateChange) {
	lasted := c.line.phase == phaseLive && now-c.line.connectedAt > shortLineMS
	c.hangUp(closeCode, false)
	capMS := c.windowMS
	if lasted {
		c.failures = 0
	} else {
		c.failures++
		c.urlIndex++
		capMS = max(c.windowMS, backoff(c.failures))
	}
	c.wait(c.planned(now, capMS), change)
}

// giveUp ends a line without waiting for its end, which says nothing of the server.
func (c *Core) giveUp(now int64, reason string) {
	c.hangUp(realtime.CodeNoPong, false)
	c.wait(c.planned(now, quickRetryMS), StateChange{Reason: reason})
}

// planned draws the time of the next attempt. While offline none is made, but for safety (CLI-8).
func (c *Core) planned(now, capMS int64) int64 {
	if !c.online {
		return now + offlineRetryMS
	}
	return now + c.draw(capMS)
}

// retryQuickly brings the planned attempt forward (LIV-3).
func (c *Core) retryQuickly(now int64) {
	if c.state == Waiting {
		c.wait(min(c.retryAt, now+c.draw(quickRetryMS)), StateChange{})
	}
}

// wait leads to Waiting, or tells the new time there.
func (c *Core) wait(retryAt int64, change StateChange) {
	c.retryAt = retryAt
	c.state = Waiting
	change.State = Waiting
	change.RetryAtMS = retryAt
	c.put(&change)
}

// closed leads to Closed: no timer runs and nothing is sent.
func (c *Core) closed(closeCode realtime.Code, change StateChange) {
	c.hangUp(closeCode, true)
	c.retryAt = never
	c.failWaiting()
	c.become(change)
}

// hangUp forgets the line and what was on its way; a code other than 0 closes it.
func (c *Core) hangUp(code realtime.Code, closing bool) {
	if c.line.phase != phaseNone && code != 0 {
		c.put(&Close{Line: c.line.number, Code: code})
	}
	c.failInFlight(closing)
	c.line = noLine()
	c.token.lineEnded()
	c.leaving = nil
	for _, s := range c.order {
		s.lineEnded()
	}
}

func (c *Core) become(change StateChange) {
	if c.state == change.State {
		return
	}
	c.state = change.State
	c.put(&change)
}
