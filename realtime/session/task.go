package session

import (
	"time"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
)

// Task is what the core wants done for the present command. One is in flight at most; each has its own Finish method.
//
//	*Admit   FinishAdmit    check the token of connect
//	*Join    FinishJoin     join the hub, then ask the backend where the stream begins
//	*Resume  FinishResume   read what came after a position
//	*Part    FinishPart     leave the hub and the channel's presence
//	*Do      FinishDo       carry out any other command
type Task interface{ isTask() }

type Admit struct{ Connect *Connect }

type Join struct {
	Subscription *Subscription
	Wish         *Wish
	Again        bool // it is in the hub already (SUB-9)
}

type Resume struct {
	Subscription *Subscription
	Since        realtime.Position
}

type Part struct{ Subscription *Subscription }

// Do carries a command other than connect, subscribe, unsubscribe and ping. For enter, leave and refresh of a
// subscription's token, Subscription is theirs.
type Do struct {
	Command      Command
	Subscription *Subscription
}

func (*Admit) isTask()  {}
func (*Join) isTask()   {}
func (*Resume) isTask() {}
func (*Part) isTask()   {}
func (*Do) isTask()     {}

// Admitted is the answer to an Admit.
type Admitted struct {
	User    string
	Expires time.Duration // from now until the token does; 0: never
	Window  time.Duration // LIV-3
}

// Joined is the answer to a Join.
type Joined struct {
	Resumption broker.Resumption    // zero on a channel without log, and for a pattern
	Presence   *broker.PresencePage // as the wish's mode says
	Expires    time.Duration        // of the subscription's token; 0: never
	Entered    bool                 // it is a member now
}
