package main

import "github.com/bellwire/bellwire/internal/mutation"

// commandMutants break how the commands of a message are carried out: on a carrier up to where something has to be waited
// for, and the rest elsewhere.
var commandMutants = []mutation.Mutant{
	{
		Class: "doubled", Fault: "the command that paused is carried out once more",
		File: "node/receive.go", Tests: "node",
		Old: "if count++; count <= done {",
		New: "if count++; count < done {",
	},
	{
		Class: "lost", Fault: "the command after the one that paused is left out",
		File: "node/receive.go", Tests: "node",
		Old: "if count++; count <= done {",
		New: "if count++; done > 0 && count <= done+1 {",
	},
	{
		Class: "lost", Fault: "what follows a pause is not carried out",
		File: "node/receive.go", Tests: "node",
		Old: "\t\treturn c.receiveFrom(own, binary, done)\n",
		New: "\t\t_, _ = own, done\n\t\treturn nil\n",
	},
	{
		Class: "lost", Fault: "the work ends at the first command",
		File: "node/receive.go", Tests: "node",
		Old: "if pause != nil || !alive {",
		New: "if true {",
	},
	{
		Class: "misdirected", Fault: "what follows a pause is read from memory that was given back",
		File: "node/receive.go", Tests: "node",
		Old: "\town := bytes.Clone(message)\n\treturn func() error {\n\t\tdefer c.work.Unlock()",
		New: "\town := message\n\treturn func() error {\n\t\tdefer c.work.Unlock()",
	},
	{
		Class: "misdirected", Fault: "a message that has to wait is read from memory that was given back",
		File: "node/receive.go", Tests: "node",
		Old: "\t\town := bytes.Clone(message)\n\t\treturn func() error { return c.Receive(own, binary) }, nil\n",
		New: "\t\town := message\n\t\treturn func() error { return c.Receive(own, binary) }, nil\n",
	},
	{
		Class: "reordered", Fault: "the next message is taken before the rest of this one is done",
		File: "node/receive.go", Tests: "node",
		Old: "\t\tdefer c.work.Unlock() // it goes over to whoever runs this\n",
		New: "\t\tc.work.Unlock()\n",
	},
	{
		Class: "unbounded", Fault: "a client publishes however far the carriers are behind",
		File: "node/receive.go", Tests: "node",
		Old: "return !n.immediate || n.hub.Behind() != nil",
		New: "return !n.immediate",
	},
	{
		Class: "unbounded", Fault: "a client is not slowed down after what it made the carriers do",
		File: "node/receive.go", Tests: "node",
		Old: "_, isCommand := task.(*session.Do); !isCommand || !mayWait {",
		New: "_, isCommand := task.(*session.Do); true || !isCommand {",
	},
	{
		Class: "PRE-2", Fault: "who goes while a command waits stays in its channels",
		File: "node/receive.go", Tests: "node",
		Old: "\tif gone {\n",
		New: "\tif gone && false {\n",
	},
}
