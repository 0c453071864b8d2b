package v1

import "time"

// Node is a node of the cluster, as the node that is asked knows it.
type Node struct {
	Site         string    `json:"site"`
	Node         string    `json:"node"`
	Alive        bool      `json:"alive" doc:"By gossip"`
	Since        time.Time `json:"since" doc:"Of alive"`
	Draining     bool      `json:"draining" doc:"It takes no calls and no conferences"`
	Role         string    `json:"role" enum:"all,edge,processing"`
	Version      string    `json:"version,omitempty"`
	SIP          string    `json:"sip,omitempty"`
	HTTP         string    `json:"http,omitempty"`
	Participants int       `json:"participants" doc:"In conferences that it hosts"`
	Capacity     int       `json:"capacity,omitempty" doc:"Participants at most; none: no limit"`
}

// Site is a site, as the node that is asked thinks of it.
type Site struct {
	Site    string    `json:"site"`
	Own     bool      `json:"own,omitempty" doc:"That of the node that is asked"`
	Verdict string    `json:"verdict" enum:"unknown,up,suspect,down,returning" doc:"Calls go there while it is up or suspect"`
	Since   time.Time `json:"since,omitzero"`
	Mode    string    `json:"mode" enum:"auto,up,down" doc:"up and down are an operator's word"`
	Why     string    `json:"why,omitempty"`
	Nodes   int       `json:"nodes" doc:"That are known"`
	Alive   int       `json:"alive" doc:"By gossip"`
	// Drain is there while the site drains.
	Drain *SiteDrain `json:"drain,omitempty" doc:"While the site drains"`
}

// NodeStatus is how a node is, by its own word.
type NodeStatus struct {
	Ready          string  `json:"ready,omitempty" doc:"ready, or why callers cannot call; as /readyz says"`
	Calls          int     `json:"calls" doc:"That came in by this node, in any phase"`
	Conferences    int     `json:"conferences" doc:"That it hosts"`
	Store          string  `json:"store,omitempty" enum:"ok,away" doc:"The database, as this node finds it"`
	CopyAgeSeconds float64 `json:"copyAgeSeconds,omitempty" doc:"Of the copy that calls are decided by while the database is away; none: there is no copy"`
	JournalRecords int64   `json:"journalRecords" doc:"That wait for the database"`
	DeadLetters    int64   `json:"deadLetters" doc:"Records that the database has refused for good"`
}

// NodeDetail is a node with what it says of itself.
type NodeDetail struct {
	Node
	NodeStatus
	Problem string `json:"problem,omitempty" doc:"Why it has not said how it is"`
}

// SiteDetail is all that is known of a site.
type SiteDetail struct {
	Site
	Conferences int          `json:"conferences" doc:"That its nodes host"`
	Calls       int          `json:"calls" doc:"That came in by its nodes; a site that drains is free of them when it is 0"`
	Raft        *SiteRaft    `json:"raft,omitempty" doc:"As the node knows it that is ahead; none: no node has answered, or there is no cluster"`
	Members     []NodeDetail `json:"members" nullable:"false" doc:"Its nodes"`
	Views       []SiteView   `json:"views" nullable:"false" doc:"What each node of the other sites thinks of it: a link may be cut in one direction"`
}

// SiteRaft is the Raft group of a site.
type SiteRaft struct {
	Leader  string   `json:"leader,omitempty" doc:"None: it is electing, or has no quorum"`
	Term    uint64   `json:"term"`
	Commit  uint64   `json:"commit" doc:"Index of the last entry that is agreed"`
	Voters  []string `json:"voters"`
	Spares  []string `json:"spares,omitempty" doc:"Nodes that take a vote when a voter is gone"`
	Rooms   int      `json:"rooms" doc:"That are given to nodes of the site"`
	Dialogs int      `json:"dialogs" doc:"That another node could take over"`
}

// SiteView is a node's verdict on another site.
type SiteView struct {
	From    Place     `json:"from"`
	Verdict string    `json:"verdict" enum:"unknown,up,suspect,down,returning"`
	Since   time.Time `json:"since,omitzero"`
	Mode    string    `json:"mode" enum:"auto,up,down"`
	Why     string    `json:"why,omitempty"`
	Probes  []Probe   `json:"probes,omitempty"`
}

// Probe is what the probes of a node of a site say.
type Probe struct {
	Node        string    `json:"node"`
	Failures    int       `json:"failures" doc:"In a row"`
	Answered    time.Time `json:"answered,omitzero" doc:"When it last did"`
	RoundTripMS float64   `json:"roundTripMs,omitempty" doc:"Then"`
	Failure     string    `json:"failure,omitempty" doc:"The last"`
}

// SiteDrain is the drain of a site.
type SiteDrain struct {
	To    string    `json:"to,omitempty" doc:"Site that takes its rooms; none: its conferences stay until they end"`
	Until time.Time `json:"until,omitzero" doc:"When calls that still go on are ended; none: they may go on"`
}

// SiteDraining says whether a site takes calls and conferences.
type SiteDraining struct {
	Draining bool   `json:"draining"`
	To       string `json:"to,omitempty" maxLength:"63" doc:"Site that takes its rooms; empty: the one with most nodes"`
	Within   int    `json:"withinSeconds,omitempty" minimum:"0" maximum:"604800" doc:"After so many seconds, calls that still go on are ended; 0: they may go on"`
}

// Verdict is an operator's word on a site.
type Verdict struct {
	Mode string `json:"mode" enum:"auto,up,down" doc:"auto: by probes"`
}

// Draining says whether a node takes calls and conferences.
type Draining struct {
	Draining bool `json:"draining"`
}

// KeyRotation asks for new keys.
type KeyRotation struct {
	Without bool `json:"without,omitempty" doc:"Go on although nodes are off: they come back only when they are given gossip.keys and handover.keys of another node"`
}

// KeysRotated says how many nodes have new keys.
type KeysRotated struct {
	Nodes int `json:"nodes"`
}
