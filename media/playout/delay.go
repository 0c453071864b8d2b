package playout

import "time"

// correction is what the delay needs now.
type correction uint8

const (
	keep correction = iota
	shorten
	lengthen
)

const (
	// fall is how fast the aim forgets a late packet: by 1/fall of it per packet,
	// a half in some seven seconds of 20 ms packets.
	fall = 512
	// driftStep lets the fastest path seen slip later per packet, so that a sender
	// whose clock runs slow is followed: 0.1 % of 20 ms.
	driftStep = 20 * time.Microsecond
	// window is over how many frames the least delay is watched.
	window = 50
	// hurry is an excess that is taken out even where it is not quiet.
	hurry = 4 * Frame
)

// delayControl aims at the least delay that still lets late packets be played.
type delayControl struct {
	clockRate int
	min, max  time.Duration
	target    time.Duration
	packet    time.Duration // how much audio a packet holds

	known   bool
	firstTS uint32
	fastest time.Duration // least transit so far, against an arbitrary zero
	late    time.Duration // how much later than the fastest packets come, peak held

	least  time.Duration // smallest delay in this window
	frames int
}

func newDelayControl(c Config) delayControl {
	return delayControl{clockRate: c.ClockRate, min: c.MinDelay, max: c.MaxDelay, target: c.MinDelay, packet: Frame}
}

// restart begins a new stream over the same path.
func (d *delayControl) restart() { d.known, d.frames = false, 0 }

// arrived learns from one packet.
func (d *delayControl) arrived(ts uint32, arrival time.Duration) {
	if !d.known {
		d.known, d.firstTS, d.fastest = true, ts, arrival
	}
	sent := time.Duration(int64(int32(ts-d.firstTS))) * time.Second / time.Duration(d.clockRate)
	transit := arrival - sent
	d.fastest = min(d.fastest+driftStep, transit)
	d.late = max(transit-d.fastest, d.late-d.late/fall)
	// In whole frames, on top of the packet that is being played. Lateness below
	// a tenth of a frame is that of any machine.
	aim := frames(d.packet)
	if d.late > Frame/10 {
		aim += frames(d.late)
	}
	d.target = min(max(aim, d.min), d.max)
}

// frames rounds up to whole ones.
func frames(t time.Duration) time.Duration { return (t + Frame - 1) / Frame * Frame }

// correct is asked before each frame, with the delay that there is. missed is
// whether a packet has just come too late: then the delay grows at once.
func (d *delayControl) correct(held time.Duration, quiet, missed bool) correction {
	if missed && held < d.target {
		d.frames = 0
		return lengthen
	}
	if d.frames == 0 {
		d.least = held
	}
	d.least = min(d.least, held)
	d.frames++
	excess := d.least - d.target - Frame
	switch {
	case d.frames >= window && excess > hurry, d.frames >= window && excess >= 0 && quiet:
		d.frames = 0
		return shorten
	case d.frames >= window && quiet && d.least+2*Frame < d.target && held > 0:
		d.frames = 0
		return lengthen
	case d.frames >= 2*window:
		d.frames = 0
	}
	return keep
}
