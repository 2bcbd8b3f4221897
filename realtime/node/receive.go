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

// pause is where the work on a command stopped because it would have had to wait.
type pause struct {
	task session.Task    // given out, not yet carried out; nil: none
	wait <-chan struct{} // closed when it may go on; nil: at once
}

// receive carries out the commands of a message after the first done ones. Unless it may wait, it stops with a pause
// where it would have to; done then counts the command that paused. Decoding twice what came before the pause is rare, and
// bounded by the message.
func (c *Connection) receive(message []byte, binary bool, done int, mayWait bool) (_ *pause, count int, err error) {
	r := &reading{connection: c, done: done, mayWait: mayWait}
	defer func() {
		if cause := recover(); cause != nil { // of the protocol; what comes from below has been recovered there
			c.node.panicked("receive", cause)
			c.abandon(realtime.CodeServerError)
			err = errEnded
		}
	}()
	c.protocol.Requests(message, binary)(r.take)
	return r.pause, r.count, r.err
}

// reading is the work on one message. A loop over its requests would put each of these fields on the heap by itself.
type reading struct {
	connection *Connection
	done       int // requests that were carried out before
	mayWait    bool

	count int
	pause *pause // where it stopped
	err   error
}

// take carries out the next request, and reports whether the one after it is wanted.
func (r *reading) take(request session.Request, err error) (more bool) {
	if r.count++; r.count <= r.done {
		return true
	}
	c := r.connection
	if err != nil {
		e := realtime.AsError(err)
		c.end(e.Code, e.Message)
		r.err = errEnded
		return false
	}
	now := c.node.config.Clock.Now()
	c.take(request, now)
	pause, alive := c.carryOut(now, r.mayWait)
	r.pause, r.err = pause, endedUnless(alive)
	return pause == nil && alive
}

func endedUnless(alive bool) error {
	if alive {
		return nil
	}
	return errEnded
}

// Opened is called by a carrier when it has begun to serve the line, before anything else.
func (c *Connection) Opened() {
	if c.hello != nil {
		c.node.group.Go("connect", c.connectByItself, c.work.Unlock)
	}
}

// connectByItself acts for a client that says nothing (TEN-1). The work lock is held from Open on.
func (c *Connection) connectByItself() {
	hello := c.hello
	c.hello = nil
	wishes := make([]session.Wish, len(hello.Channels))
	for i, channel := range hello.Channels {
		wishes[i].Channel = channel
	}
	connect := &session.Connect{Token: hello.Token, Subscribe: wishes}
	now := c.node.config.Clock.Now()
	c.take(session.Request{Name: "connect", Command: connect}, now)
	c.carryOut(now, true)
}

func (c *Connection) take(request session.Request, now time.Time) {
	c.mu.Lock()
	defer c.unlock("take")
	c.working = true
	c.core.Receive(request, now)
}

// carryOut takes the present command to its end, or to where it would have to wait and may not. alive is false when the
// session has ended.
func (c *Connection) carryOut(now time.Time, mayWait bool) (_ *pause, alive bool) {
	for {
		task, wait, done := c.next(now)
		switch {
		case done:
			return nil, c.rest()
		case !mayWait && (wait != nil || c.node.mayWait(task)):
			return &pause{task, wait}, true
		case task != nil:
			now = c.do(task, now)
			c.easeAfter(task, mayWait)
		default:
			<-wait
			now = c.node.config.Clock.Now()
		}
	}
}

// goOn takes a command that paused to its end.
func (c *Connection) goOn(p *pause) (alive bool) {
	now := c.node.config.Clock.Now()
	if p.task != nil {
		now = c.do(p.task, now)
		c.easeAfter(p.task, true)
	} else {
		<-p.wait
		now = c.node.config.Clock.Now()
	}
	_, alive = c.carryOut(now, true)
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

// next is what to do now: a task, or to wait, or nothing more.
func (c *Connection) next(now time.Time) (task session.Task, wait <-chan struct{}, done bool) {
	c.mu.Lock()
	defer c.unlock("next")
	if task = c.core.Next(now); task != nil {
		return task, nil, false
	}
	if !c.core.Busy() {
		return nil, nil, true
	}
	if c.waiter == nil {
		c.waiter = make(chan struct{})
	}
	return nil, c.waiter, false
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
