package memory

import "time"

// schedule is a heap of channels by time. Each channel knows its place, so it can be moved and removed.
type schedule struct {
	slot  int     // immutable: which of held's times and places it uses
	items []*held // items[i].index[slot] == i; no item is earlier than its parent, items[(i-1)/2]
}

// first is the channel with the earliest time, or nil.
func (q *schedule) first() *held {
	if len(q.items) == 0 {
		return nil
	}
	return q.items[0]
}

// set adds a channel or moves it.
func (q *schedule) set(c *held, at time.Time) {
	c.at[q.slot] = at
	if c.index[q.slot] < 0 {
		q.place(c, len(q.items))
	}
	q.up(c.index[q.slot])
	q.down(c.index[q.slot])
}

// remove takes a channel out, if it is in.
func (q *schedule) remove(c *held) {
	i := c.index[q.slot]
	if i < 0 {
		return
	}
	last := q.items[len(q.items)-1]
	q.items[len(q.items)-1] = nil
	q.items = q.items[:len(q.items)-1]
	c.index[q.slot] = -1
	if last == c {
		return
	}
	q.place(last, i)
	q.up(i)
	q.down(last.index[q.slot])
}

func (q *schedule) place(c *held, i int) {
	if i == len(q.items) {
		q.items = append(q.items, c)
	} else {
		q.items[i] = c
	}
	c.index[q.slot] = i
}

func (q *schedule) up(i int) {
	for i > 0 && q.earlier(i, (i-1)/2) {
		q.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
}

func (q *schedule) down(i int) {
	for {
		earliest := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(q.items); child++ {
			if q.earlier(child, earliest) {
				earliest = child
			}
		}
		if earliest == i {
			return
		}
		q.swap(i, earliest)
		i = earliest
	}
}

func (q *schedule) earlier(i, j int) bool { return q.items[i].at[q.slot].Before(q.items[j].at[q.slot]) }

func (q *schedule) swap(i, j int) {
	a, b := q.items[i], q.items[j]
	q.place(b, i)
	q.place(a, j)
}
