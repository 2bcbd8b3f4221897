package websocket

import "runtime"

// TakeInflaters takes all there are, and returns what gives them back.
func TakeInflaters() (giveBack func()) {
	for range cap(inflaters) {
		inflaters <- struct{}{}
	}
	return func() {
		for range cap(inflaters) {
			<-inflaters
		}
	}
}

// AwaitWait returns when somebody waits for an inflater or the end of the connection.
func (c *Conn) AwaitWait() {
	for waits := false; !waits; runtime.Gosched() {
		c.mu.Lock()
		waits = c.pings != nil && c.pings.over != nil
		c.mu.Unlock()
	}
}

// InflatersTaken returns how many are in use.
func InflatersTaken() int { return len(inflaters) }
