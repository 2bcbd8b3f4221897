package frame

import "strconv"

// Status is the code of a close frame (RFC 6455 7.4).
type Status uint16

// The codes this module and its neighbours answer with.
const (
	StatusNormal     Status = 1000
	StatusProtocol   Status = 1002
	StatusNone       Status = 1005 // a close frame without a code; never sent
	StatusAbnormal   Status = 1006 // no close frame came; never sent
	StatusPayload    Status = 1007
	StatusPolicy     Status = 1008
	StatusTooBig     Status = 1009
	StatusUnexpected Status = 1011
)

// Valid reports whether a close frame may carry the code: the registered ones
// (RFC 6455 7.4.1 and the IANA registry up to 1014), 3000 to 3999 for libraries
// and 4000 to 4999 for applications. 1004 is reserved; 1005, 1006 and 1015 must not
// be sent.
func (s Status) Valid() bool {
	switch {
	case s >= 1000 && s <= 1003:
		return true
	case s >= 1007 && s <= 1014:
		return true
	case s >= 3000 && s <= 4999:
		return true
	}
	return false
}

// Violation is a rule a peer has broken. Violations are comparable package
// variables: nothing of the peer's input is in them.
type Violation struct {
	Status Status // for the close frame that answers it
	Clause string // where the rule stands
	Rule   string // the rule, as a sentence
}

// Error gives the rule, its clause and the status.
func (v *Violation) Error() string {
	return "websocket: " + v.Rule + " (" + v.Clause + ", status " + strconv.Itoa(int(v.Status)) + ")"
}
