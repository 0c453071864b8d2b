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
