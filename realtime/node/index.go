package node

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/bellwire/bellwire/realtime"
)

// index finds connections by id and by user.
type index struct {
	mu sync.Mutex
	// Guarded by mu.
	connections map[string]*Connection
	users       map[string][]*Connection // of those with a token; none is empty
	anonymous   int                      // connections that are a user of their own (NAM-5), and found by their id
	emptied     []chan struct{}          // one for each that waits for the last connection to go
}

func (x *index) init() {
	x.connections = make(map[string]*Connection)
	x.users = make(map[string][]*Connection)
}

// add reports false when there are max connections already.
func (x *index) add(c *Connection, max int) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.connections) >= max {
		return false
	}
	x.connections[c.ID()] = c
	return true
}

// name makes a connection findable by its user. One that has been removed meanwhile stays so.
func (x *index) name(c *Connection, user string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.connections[c.ID()] != c {
		return
	}
	c.indexedUser = user
	if isOwnUser(c, user) {
		x.anonymous++
	} else {
		x.users[user] = append(x.users[user], c)
	}
}

// isOwnUser reports whether a user is the one of this connection alone. No token can name such a user. To keep a list for
// each was 1 µs of a connect.
func isOwnUser(c *Connection, user string) bool {
	id, isAnonymous := strings.CutPrefix(user, realtime.AnonymousPrefix)
	return isAnonymous && id == c.ID()
}

// remove reports whether the connection was there.
func (x *index) remove(c *Connection) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.connections[c.ID()] != c {
		return false
	}
	delete(x.connections, c.ID())
	switch {
	case c.indexedUser == "":
	case isOwnUser(c, c.indexedUser):
		x.anonymous--
	default:
		x.removeUserLocked(c)
	}
	if len(x.connections) == 0 {
		for _, e := range x.emptied {
			close(e)
		}
		x.emptied = nil
	}
	return true
}

func (x *index) removeUserLocked(c *Connection) {
	own := x.users[c.indexedUser]
	if i := slices.Index(own, c); i >= 0 {
		own = slices.Delete(own, i, i+1)
	}
	if len(own) == 0 {
		delete(x.users, c.indexedUser)
	} else {
		x.users[c.indexedUser] = own
	}
}

// find returns the connections of a target.
func (x *index) find(t Target) []*Connection {
	x.mu.Lock()
	defer x.mu.Unlock()
	if t.User != "" {
		return x.ofUserLocked(t.User)
	}
	if c := x.connections[t.Connection]; c != nil {
		return []*Connection{c}
	}
	return nil
}

func (x *index) ofUserLocked(user string) []*Connection {
	if id, isAnonymous := strings.CutPrefix(user, realtime.AnonymousPrefix); isAnonymous {
		if c := x.connections[id]; c != nil && c.indexedUser == user {
			return []*Connection{c}
		}
		return nil
	}
	return slices.Clone(x.users[user])
}

func (x *index) all() []*Connection {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Collect(maps.Values(x.connections))
}

func (x *index) count() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.connections)
}

func (x *index) counts() (connections, users int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.connections), len(x.users) + x.anonymous
}

// empty is closed when there is no connection, at once when there is none now.
func (x *index) empty() <-chan struct{} {
	x.mu.Lock()
	defer x.mu.Unlock()
	e := make(chan struct{})
	if len(x.connections) == 0 {
		close(e)
	} else {
		x.emptied = append(x.emptied, e)
	}
	return e
}
