package channel

import "github.com/bellwire/bellwire/realtime/history"

// SetTopForTest makes the log one in which very much has happened, and nothing is held.
func (m *Machine) SetTopForTest(top uint64) { m.log = history.NewLog(top) }
