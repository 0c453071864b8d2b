package v1

// ParticipantMedia is how the media of a participant is now. Lately means the last
// interval of some 5 s.
type ParticipantMedia struct {
	Codec       string          `json:"codec,omitempty" example:"PCMA"`
	Way         string          `json:"way,omitempty" enum:"direct,relay" doc:"Of a caller who is mixed at another node than the one that took the call: past that one, or through it"`
	RoundTripMs int64           `json:"roundTripMs,omitempty" doc:"Between the telephone and the node that it sends to, by RTCP. Left out if it sends none"`
	Inbound     *MediaDirection `json:"inbound,omitempty" doc:"What is heard of the participant. Left out before the first interval"`
	Outbound    *MediaDirection `json:"outbound,omitempty" doc:"What the participant hears, by its telephone's RTCP reports. Left out if it sends none"`
}

// MediaDirection is how one direction is.
type MediaDirection struct {
	RatedSeconds float64        `json:"ratedSeconds" doc:"How much audio the means are of. Time on hold is not"`
	Loss         float64        `json:"loss" minimum:"0" maximum:"1" doc:"Lately: share of the packets that were lost or came too late to be heard"`
	JitterMs     float64        `json:"jitterMs" doc:"Lately (RFC 3550)"`
	DelayMs      float64        `json:"delayMs" doc:"Lately: one way, with packets and jitter buffer"`
	MOS          float64        `json:"mos" minimum:"0" maximum:"5" doc:"Lately: mean opinion score by the E-model (ITU-T G.107, G.107.1)"`
	MeanLoss     float64        `json:"meanLoss" minimum:"0" maximum:"1" doc:"Of the stay"`
	MeanMOS      float64        `json:"meanMos" minimum:"0" maximum:"5" doc:"Of the stay"`
	WorstMOS     float64        `json:"worstMos" minimum:"0" maximum:"5" doc:"Of the worst interval"`
	Reported     *ReportedMedia `json:"reported,omitempty" doc:"What the telephone itself tells, by extended reports (RFC 3611 section 4.7)"`
}

// ReportedMedia is what a telephone tells of what it hears. What it does not tell is left out.
type ReportedMedia struct {
	MOS              float64 `json:"mos,omitempty" doc:"In conversation"`
	ListeningMOS     float64 `json:"listeningMos,omitempty"`
	R                float64 `json:"r,omitempty" doc:"R factor"`
	Lost             float64 `json:"lost" doc:"Share of the packets of the call"`
	Discarded        float64 `json:"discarded" doc:"Share of the packets of the call that came too late to be heard"`
	EndSystemDelayMs int64   `json:"endSystemDelayMs,omitempty"`
	SignalDbm0       int     `json:"signalDbm0,omitempty" doc:"Level of speech"`
	NoiseDbm0        int     `json:"noiseDbm0,omitempty" doc:"Level of silence"`
}
