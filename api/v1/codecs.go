package v1

// Codec is a codec of a node.
type Codec struct {
	Name        string `json:"name" doc:"Encoding name in SDP"`
	ClockRate   int    `json:"clockRate" doc:"Hz of the RTP timestamp"`
	SampleRate  int    `json:"sampleRate" doc:"Hz of the audio at most"`
	PayloadType int    `json:"payloadType" doc:"RTP payload type; -1: each call agrees on one"`
	FrameMillis int    `json:"frameMillis" doc:"Packets hold a whole multiple of it"`
	Backend     string `json:"backend" doc:"What does the work: go, or a library"`
	Available   bool   `json:"available" doc:"Calls use it"`
	Encodes     bool   `json:"encodes"`
	Decodes     bool   `json:"decodes"`
	Reason      string `json:"reason,omitempty" doc:"Why it is not available, and what to install"`
}
