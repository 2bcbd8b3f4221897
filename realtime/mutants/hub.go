package main

import "github.com/bellwire/bellwire/internal/mutation"

// hubMutants break the way from a publication to everybody who is in its channel, on carriers and besides.
var hubMutants = []mutation.Mutant{
	{
		Class: "lost", Fault: "only the first carrier is handed a publication",
		File: "hub/carrier.go", Tests: "hub node",
		Old: "\tfor _, c := range m.cohorts {\n\t\tif !c.carrier.Carry",
		New: "\tfor _, c := range m.cohorts[:1] {\n\t\tif !c.carrier.Carry",
	},
	{
		Class: "doubled", Fault: "the last carrier is handed a publication twice",
		File: "hub/carrier.go", Tests: "hub node",
		Old: "\tfor _, c := range m.cohorts {\n\t\tif !c.carrier.Carry",
		New: "\tfor _, c := range append(m.cohorts[:len(m.cohorts):len(m.cohorts)], m.cohorts[len(m.cohorts)-1]) {\n\t\tif !c.carrier.Carry",
	},
	{
		Class: "lost", Fault: "the last member that a carrier serves is left out",
		File: "hub/carrier.go", Tests: "hub node",
		Old: "\tpassed, passedBytes := 0, 0\n\tc.mu.Lock()\n\tdefer c.mu.Unlock()\n\tfor i := range c.list {",
		New: "\tpassed, passedBytes := 0, 0\n\tc.mu.Lock()\n\tdefer c.mu.Unlock()\n\tfor i := range max(len(c.list)-1, min(len(c.list), 1)) {",
	},
	{
		Class: "lost", Fault: "only the members on carriers get a publication",
		File: "hub/deliver.go", Tests: "hub",
		Old: "\tf.deliver(m.list)\n",
		New: "\tif len(m.cohorts) == 0 {\n\t\tf.deliver(m.list)\n\t}\n",
	},
	{
		Class: "doubled", Fault: "on a carrier a publisher that is to be skipped is not",
		File: "hub/carrier.go", Tests: "hub node",
		Old: "\t\t\tp.deliverMark(m)\n\t\t\tcontinue\n",
		New: "\t\t\tp.deliverMark(m)\n",
	},
	{
		Class: "PUB-2", Fault: "on a carrier the position of who is skipped does not advance",
		File: "hub/carrier.go", Tests: "hub node",
		Old: "\t\t\tp.deliverMark(m)\n\t\t\tcontinue\n",
		New: "\t\t\tcontinue\n",
	},
	{
		Class: "misdirected", Fault: "on a carrier everybody gets the encoding of the first",
		File: "hub/carrier.go", Tests: "hub node",
		Old: "d := &encoded[m.protocol]\n",
		New: "d := &encoded[0]\n",
	},
	{
		Class: "misdirected", Fault: "on a carrier who listens to a pattern is told a position",
		File: "hub/carrier.go", Tests: "hub node",
		Old: "Publication: p.publication, Pattern: p.pattern, Encoded: p.encode(protocol)}",
		New: "Publication: p.publication, Encoded: p.encode(protocol)}",
	},
	{
		Class: "misdirected", Fault: "on a carrier presence is told to all",
		File: "hub/carrier.go", Tests: "hub node",
		Old: "mode := m.subscription.presence; mode != PresenceNone {",
		New: "mode := m.subscription.presence; true {",
	},
	{
		Class: "lost", Fault: "a publication for which a carrier has no room is not counted",
		File: "hub/deliver.go", Tests: "hub node",
		Old: "behind > 0 && h.overrun != nil {",
		New: "behind > 1 && h.overrun != nil {",
	},
	{
		Class: "unbounded", Fault: "nobody waits for carriers that are behind",
		File: "hub/carrier.go", Tests: "hub node",
		Old: "if behind := c.Behind(); behind != nil {",
		New: "if behind := c.Behind(); false {",
	},
	{
		Class: "lost", Fault: "a drain begins before what was published has been delivered",
		File: "hub/carrier.go", Tests: "hub node",
		Old: "\t\tcase <-settled:\n",
		New: "\t\tdefault:\n",
	},
	{
		Class: "UNS-1", Fault: "on a carrier something comes after the unsubscription",
		File: "hub/members.go", Tests: "hub node",
		Old: "\tc.roll.remove(s)\n\tif c.size.Add(-1) == 0 {",
		New: "\tif c.size.Add(-1) == 0 {",
	},
	{
		Class: "lost", Fault: "a carrier is dismissed while it has a member",
		File: "hub/members.go", Tests: "hub node",
		Old: "if c.size.Add(-1) == 0 {",
		New: "if c.size.Add(-1) <= 1 {",
	},
	{
		Class: "misdirected", Fault: "who takes the place of another does not know its own",
		File: "hub/members.go", Tests: "hub node",
		Old: "\tr.list[s.index].subscription.index = s.index\n",
		New: "",
	},
	{
		Class: "lost", Fault: "members are left out when the array shrinks",
		File: "hub/members.go", Tests: "hub",
		Old: "make([]member, 0, cap(r.list)/2), r.list...)",
		New: "make([]member, 0, cap(r.list)/2), r.list[:max(len(r.list)-1, 0)]...)",
	},
}
