package reactor

import "github.com/bellwire/bellwire/websocket"

// runTasks starts a goroutine for the tasks that wait. What is handed off while
// it runs has its turn when it is back.
func (l *loop) runTasks(c *line) {
	q := c.backlog
	q.running = true
	tasks := q.tasks
	q.tasks = nil
	l.watch(c)
	back := call{kind: callHandedBack, slot: c.slot, generation: c.generation, panicked: true}
	run := func() {
		for _, task := range tasks {
			task()
		}
		back.panicked = false
	}
	l.reactor.group.Go("handed off task", run, func() { l.post(back, 0) })
}

// handedBack goes on with a line whose tasks are done.
func (l *loop) handedBack(c *line, panicked bool) {
	q := c.backlog
	if q == nil {
		return
	}
	q.running = false
	switch {
	case c.state != open:
	case panicked:
		l.at(c).Close(websocket.StatusInternalError, "")
		l.flush(c)
		l.doom(c, errPanic)
	case len(q.tasks) > 0:
		l.runTasks(c)
		return
	}
	l.rest(c)
	l.watch(c)
}
