package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/conclave-voice/conclave/testenv/load"
	"github.com/conclave-voice/conclave/testenv/load/codecs"
)

// shape is how callers are spread over rooms, and what they send.
type shape struct {
	roomSize string
	speakers int
	others   string
	codecs   []string
	listen   int
	keep     string
	rate     float64
}

func (s *shape) flags(f *pflag.FlagSet) {
	f.StringVar(&s.roomSize, "room-size", "4", "`N` callers in each room; one (or 0): all in one room")
	f.IntVar(&s.speakers, "speakers", 0, "`K` callers of each room speak; 0: all")
	f.StringVar(&s.others, "others", string(load.Silence), "what the rest sends: silence, or the noise of an open line")
	f.StringSliceVar(&s.codecs, "codecs", []string{"PCMU"}, "by turns of PCMU, PCMA, G722, opus, GSM")
	f.IntVar(&s.listen, "listen", 32, "`N` callers, spread over the rooms, whose audio is judged")
	f.StringVar(&s.keep, "keep", "", "`DIRECTORY` for what the worst of them heard: WAV, and as they got it")
	f.Float64Var(&s.rate, "rate", 50, "calls begun in a second")
}

// settle is when the keys of a code, the greeting and the gain are over.
const settle = 6 * time.Second

// load is the shape for so many callers.
func (s *shape) load(callers int) (load.Options, error) {
	o := load.Options{Callers: callers, Speakers: s.speakers, Others: load.Line(s.others), Chosen: load.Chosen, Listen: s.listen, Keep: s.keep, Rate: s.rate,
		Number: "18665552637", Settle: settle}
	if s.roomSize == "one" || s.roomSize == "0" {
		o.RoomSize = callers
	} else if n, err := strconv.Atoi(s.roomSize); err == nil && n > 0 {
		o.RoomSize = n
	} else {
		return o, fmt.Errorf("--room-size %s: write a number, or one for a single room", s.roomSize)
	}
	for _, name := range s.codecs {
		c, err := codecs.Find(name)
		if err != nil {
			return o, fmt.Errorf("--codecs: %w", err)
		}
		o.Codecs = append(o.Codecs, c)
	}
	return o, nil
}

// String says it in a line, for the head of a table.
func (s *shape) String() string {
	rooms, who := "rooms of "+s.roomSize, "all speak"
	if s.roomSize == "one" || s.roomSize == "0" {
		rooms = "one room"
	}
	if s.speakers > 0 {
		who = fmt.Sprintf("%d of each speak, the others send %s", s.speakers, s.others)
	}
	return fmt.Sprintf("%s, %s, codecs %v", rooms, who, s.codecs)
}
