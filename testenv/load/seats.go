package load

import (
	"context"
	"fmt"
	"time"

	"github.com/conclave-voice/conclave/testenv/load/codecs"
	"github.com/conclave-voice/conclave/testenv/load/judge"
	"github.com/conclave-voice/conclave/testenv/tone"
)

// seat is the place of one caller in one room. When callers come and go, they do so one
// after the other in the same seat.
type seat struct {
	n           int
	room, place int // place is within the room, from 0
	voice       int // its tone
	speaks      bool
	listened    bool
	codec       codecs.Codec
	frames      [][]byte // a second of what it sends, played in a loop
}

// makeSeats gives everybody a place. Rooms use other tones than their neighbours, so that
// what leaks from one to another is mostly noticed.
func makeSeats(ctx context.Context, o Options) ([]*seat, error) {
	seats, loops := make([]*seat, o.Callers), map[string][][]byte{}
	for n := range seats {
		s := &seat{n: n, room: n / o.RoomSize, place: n % o.RoomSize, codec: o.Codecs[n%len(o.Codecs)]}
		s.speaks = s.place < o.Speakers
		s.voice = (s.room*o.Speakers + s.place) % judge.Voices
		key := s.codec.Name
		if s.speaks {
			key = fmt.Sprint(s.codec.Name, s.voice)
		}
		if loops[key] == nil {
			frames, err := s.codec.Loop(ctx, s.sound(o.Others))
			if err != nil {
				return nil, err
			}
			loops[key] = frames
		}
		s.frames = loops[key]
		seats[n] = s
	}
	chooseListeners(seats, o)
	return seats, nil
}

// sound is a second of what the caller sends. Speakers are a little softer than the node
// brings them to, so that its gain has something to do.
func (s *seat) sound(others Line) tone.Sound {
	switch {
	case s.speaks:
		return tone.Steady(codecs.Rate, judge.Tone(s.voice), -26)
	case others == Noise:
		return tone.Noise(codecs.Rate, -50, time.Second)
	}
	return tone.Silence(codecs.Rate, time.Second)
}

// chooseListeners spreads those who are listened to over the rooms, and over the places
// in them.
func chooseListeners(seats []*seat, o Options) {
	for i := range min(o.Listen, len(seats)) {
		first, last := i*len(seats)/o.Listen, (i+1)*len(seats)/o.Listen
		if o.Listen >= len(seats) {
			first, last = i, i+1
		}
		seats[first+i%(last-first)].listened = true
	}
}

func (s *seat) String() string {
	return fmt.Sprintf("caller %d (room %d, place %d, %s)", s.n, s.room, s.place, s.codec.Name)
}
