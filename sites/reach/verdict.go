package reach

import "fmt"

// Verdict is what this node thinks of another site.
type Verdict uint8

const (
	Unknown   Verdict = iota // not probed yet, or no such site
	Up                       // it answers
	Suspect                  // it has just failed a few times; still used
	Down                     // it does not answer
	Returning                // it answers again and is not trusted yet
)

var verdictNames = []string{"unknown", "up", "suspect", "down", "returning"}

func (v Verdict) String() string {
	if int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return fmt.Sprintf("verdict %d", uint8(v))
}

// Usable tells whether calls go there. An Unknown site may be asked too, by those who
// are ready to wait for a failure.
func (v Verdict) Usable() bool { return v == Up || v == Suspect }

// Mode is what the operator says of a site.
type Mode uint8

const (
	Auto      Mode = iota // believe the probes
	ForceUp               // use it whatever the probes say
	ForceDown             // do not use it
)

var modeNames = []string{"auto", "up", "down"}

func (m Mode) String() string {
	if int(m) < len(modeNames) {
		return modeNames[m]
	}
	return fmt.Sprintf("mode %d", uint8(m))
}

// ParseMode reads what String writes.
func ParseMode(s string) (Mode, error) {
	for m, name := range modeNames {
		if s == name {
			return Mode(m), nil
		}
	}
	return Auto, fmt.Errorf("mode %q: want auto, up or down", s)
}
