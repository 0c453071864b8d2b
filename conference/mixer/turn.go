package mixer

const (
	// DefaultSpeakers is how many of a crowd are heard at once where nothing else is said:
	// with more, nobody is understood.
	DefaultSpeakers = 4
	// crowd is for how many times as many, who may be heard, the choice begins. Fewer are
	// no crowd: they come to terms by themselves, and their noise adds up to 9 dB at most.
	crowd = 2

	holdTicks = 50   // 1 s without a sound after which a place is given up
	yields    = 10   // 0.2 s without a sound after which it is given to somebody else
	decay     = 0.3  // dB in a tick, 15 dB/s, by which one is forgotten who is silent
	louder    = 6.0  // dB by which who wants in must be louder than who is in
	insists   = 5    // ticks, 0.1 s, for which it must be
	forgotten = -100 // dBFS
)

// turn is what decides whether a port is heard.
type turn struct {
	sound  bool    // there is sound in this tick
	level  float32 // dBFS of it
	score  float32 // the level of late
	quiet  int     // ticks since it last made a sound
	wants  int     // ticks for which it has been clearly louder than one who is heard
	placed bool    // it is heard

	talking bool // its voice is, and watchers have been told
}

// silent is the turn of one who has not been heard of yet.
func silent() turn { return turn{score: forgotten, quiet: holdTicks + 1} }

// note takes in a tick.
func (t *turn) note() {
	t.score = max(t.score-decay, forgotten)
	t.quiet++
	if t.sound {
		t.score, t.quiet = max(t.score, t.level), 0
	}
}

// choose gives those a place who are to be heard. Where no more than crowd times n may be,
// all have one, whatever they do: nothing of them is cut off. Of more, the n loudest have
// one who make a sound; they keep it through the pauses between words, and lose it only to
// somebody else who is clearly louder, or when they have been silent for a second.
func choose(ports []*Port, n int) {
	if len(ports) <= crowd*n {
		for _, p := range ports {
			p.turn.note()
			p.turn.placed = true
		}
		return
	}
	placed := 0
	var worst *turn
	for _, p := range ports {
		t := &p.turn
		t.note()
		t.placed = t.placed && t.quiet <= holdTicks
		if t.placed {
			placed++
			if worst == nil || t.before(worst) {
				worst = t
			}
		}
	}
	if placed > n { // it has become a crowd: one after the other
		worst.placed = false
		return
	}
	best := loudestWithout(ports)
	for ; placed < n && best != nil; placed++ {
		best.placed, best.wants = true, 0
		best = loudestWithout(ports)
	}
	if best == nil || worst == nil {
		return
	}
	if best.score < worst.score+louder {
		best.wants = 0
	} else {
		best.wants++
	}
	if worst.quiet >= yields || best.wants >= insists {
		worst.placed, best.placed, best.wants = false, true, 0
	}
}

// before says whether t has to go before u: who has been silent for longer, then who is
// softer.
func (t *turn) before(u *turn) bool {
	silent, other := t.quiet >= yields, u.quiet >= yields
	if silent || other {
		return t.quiet > u.quiet
	}
	return t.score < u.score
}

// loudestWithout is the loudest who makes a sound and has no place; nil if there is none.
func loudestWithout(ports []*Port) *turn {
	var best *turn
	for _, p := range ports {
		if t := &p.turn; t.sound && !t.placed && (best == nil || t.score > best.score) {
			best = t
		}
	}
	return best
}
