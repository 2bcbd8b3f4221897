package realtime

// Member is one user in the presence of a channel (PRE-1).
type Member struct {
	User        string
	Info        []byte // JSON object from the token, or nil
	Connections []MemberConnection
}

// MemberConnection is one of the connections that make a user present.
type MemberConnection struct {
	Connection string
	Payload    Payload // what the connection entered with; may be none
}

// PresenceChange is what changed in the presence of a channel between two versions (SRV-4).
type PresenceChange struct {
	Channel string
	Version uint64   // grows by every change of the channel's presence (PRE-4)
	Count   int      // users present after the change
	Set     []Member // new or changed members, whole
	Left    []string // users that are gone
}
