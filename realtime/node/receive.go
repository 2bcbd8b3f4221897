package node

import (
	"bytes"
	"errors"
	"time"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/session"
)

// errEnded is what Receive returns when the line is being closed.
var errEnded = errors.New("the session has ended")

// Receive takes one whole message of the transport. It returns when the message's commands have been carried out, and
// may wait while the client does not read its answers. A non-nil error says that the line is being closed: stop reading.
// The message belongs to the caller again when it returns.
func (c *Connection) Receive(message []byte, binary bool) error {
	c.work.Lock()
	defer c.work.Unlock()
	return c.receiveFrom(message, binary, 0)
}

// TryReceive is Receive for a carrier, which must not wait. Where something has to be waited for, it returns rest: what is
// left to be done, with all that it needs. The carrier has it run on a goroutine, and hands over nothing more before it
// has returned; its error is that of Receive.
func (c *Connection) TryReceive(message []byte, binary bool) (rest func() error, err error) {
	if !c.work.TryLock() {
		own := bytes.Clone(message)
		return func() error { return c.Receive(own, binary) }, nil
	}
	pause, done, err := c.receive(message, binary, 0, false)
	if pause == nil {
		c.work.Unlock()
		return nil, err
	}
	own := bytes.Clone(message)
	return func() error {
		defer c.work.Unlock() // it goes over to whoever runs this
		if !c.goOn(pause) {
			return errEnded
		}
		return c.receiveFrom(own, binary, done)
	}, nil
}

// receiveFrom carries out the commands of a message after those that have been.
func (c *Connection) receiveFrom(message []byte, binary bool, done int) error {
	_, _, err := c.receive(message, binary, done, true)
	return err
}

// pause is where the work on a command stopped because it would have had to wait: before a step.
type pause struct{ step }

// receive carries out the commands of a message after the first done ones. Unless it may wait, it stops with a pause
// where it would have to; done then counts the command that paused. Decoding twice what came before the pause is rare, and
// bounded by the message.
func (c *Connection) receive(message []byte, binary bool, done int, mayWait bool) (_ *pause, count int, err error) {
	defer func() {
		if cause := recover(); cause != nil { // of the protocol; what comes from below has been recovered there
			c.node.panicked("receive", cause)
			c.abandon(realtime.CodeServerError)
			err = errEnded
		}
	}()
	for more := true; more; more = len(message) > 0 {
		request, rest, err := c.protocol.Next(message, binary)
		message = rest
		if count++; count <= done {
			continue
		}
		if err != nil {
			e := realtime.AsError(err)
			c.end(e.Code, e.Message)
			return nil, count, errEnded
		}
		now := c.node.config.Clock.Now()
		pause, alive := c.carryOut(c.take(request, now), now, mayWait)
		if pause != nil || !alive {
			return pause, count, endedUnless(alive)
		}
	}
	return nil, count, nil
}

func endedUnless(alive bool) error {
	if alive {
		return nil
	}
	return errEnded
}

// Opened is called by a carrier when it has begun to serve the line, before anything else. It acts for a client that says
// nothing (TEN-1): on the carrier as long as nothing has to be waited for. The work lock is held from Open on.
func (c *Connection) Opened() {
	if c.hello == nil {
		return
	}
	if c.carried == nil {
		c.node.group.Go("connect", func() { c.connectByItself(true) }, c.work.Unlock)
		return
	}
	pause := c.connectByItself(false)
	if pause == nil {
		c.work.Unlock()
		return
	}
	c.node.group.Go("connect", func() { c.goOn(pause) }, c.work.Unlock)
}

// connectByItself carries out the connect that the client would have sent, up to where it would have to wait and may not.
func (c *Connection) connectByItself(mayWait bool) *pause {
	hello := c.hello
	c.hello = nil
	wishes := make([]session.Wish, len(hello.Channels))
	for i, channel := range hello.Channels {
		wishes[i].Channel = channel
		if since, known := hello.Since[channel]; known {
			wishes[i].Since = &since
		}
	}
	connect := &session.Connect{Token: hello.Token, Subscribe: wishes}
	now := c.node.config.Clock.Now()
	pause, _ := c.carryOut(c.take(session.Request{Name: "connect", Command: connect}, now), now, mayWait)
	return pause
}

// step is what to do next for the present command; the zero step is nothing more.
type step struct {
	task session.Task
	wait <-chan struct{} // closed when there may be something to do; nil: there is no need to wait
}

// take takes a command.
func (c *Connection) take(request session.Request, now time.Time) step {
	c.mu.Lock()
	defer c.unlock("take")
	c.working = true
	c.core.Receive(request, now)
	return c.nextLocked(now)
}

// carryOut takes the present command from a step to its end, or to where it would have to wait and may not. alive is false
// when the session has ended.
func (c *Connection) carryOut(next step, now time.Time, mayWait bool) (_ *pause, alive bool) {
	for next != (step{}) {
		if !mayWait && (next.wait != nil || c.node.mayWait(next.task)) {
			return &pause{next}, true
		}
		next, now = c.carryOutStep(next, now, mayWait)
	}
	return nil, c.rest()
}

// carryOutStep also returns the time at its end.
func (c *Connection) carryOutStep(s step, now time.Time, mayWait bool) (next step, ended time.Time) {
	if s.task == nil {
		<-s.wait
		ended = c.node.config.Clock.Now()
		return c.next(ended), ended
	}
	next, ended = c.do(s.task, now)
	c.easeAfter(s.task, mayWait)
	return next, ended
}

// goOn takes a command that paused to its end.
func (c *Connection) goOn(p *pause) (alive bool) {
	next, now := c.carryOutStep(p.step, c.node.config.Clock.Now(), true)
	_, alive = c.carryOut(next, now, true)
	return alive
}

// mayWait reports whether carrying out a task may have to wait for somebody else: a backend on another machine, a
// handler of the application, or carriers that are behind.
func (n *Node) mayWait(task session.Task) bool {
	if do, ok := task.(*session.Do); ok {
		switch do.Command.(type) {
		case *session.Call:
			return true
		case *session.Publish, *session.Update:
			return !n.immediate || n.hub.Behind() != nil
		}
	}
	return !n.immediate
}

// easeAfter slows down a client that makes the carriers work more than they can.
func (c *Connection) easeAfter(task session.Task, mayWait bool) {
	if _, isCommand := task.(*session.Do); !isCommand || !mayWait {
		return
	}
	ctx, cancel := within(c.node.limits.BackendTimeout)
	defer cancel()
	c.node.ease(ctx)
}

func (c *Connection) next(now time.Time) step {
	c.mu.Lock()
	defer c.unlock("next")
	return c.nextLocked(now)
}

func (c *Connection) nextLocked(now time.Time) step {
	if task := c.core.Next(now); task != nil {
		return step{task: task}
	}
	if !c.core.Busy() {
		return step{}
	}
	if c.waiter == nil {
		c.waiter = make(chan struct{})
	}
	return step{wait: c.waiter}
}

// rest ends the work on a command. When the line went away meanwhile, what Closed left is done now.
func (c *Connection) rest() (alive bool) {
	gone, ended := c.stopWorking()
	if gone {
		c.node.group.Go("leave channels", c.leaveAll, nil)
	}
	return !ended
}

func (c *Connection) stopWorking() (gone, ended bool) {
	c.mu.Lock()
	defer c.unlock("rest")
	c.working = false
	return c.gone, c.core.IsEnded()
}
