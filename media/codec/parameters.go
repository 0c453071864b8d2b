package codec

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Agree settles the parameters of a codec that both ends have: f is ours, peer are the
// parameters of the other end (a=fmtp, without the payload type). It returns what is in
// force, with what to answer in Fmtp. It gives the same to the end that offers and to the
// one that answers.
func (f Format) Agree(peer string) Format {
	f.Peer = peer
	theirs := Parameters(peer)
	switch strings.ToUpper(f.Name) {
	case "ILBC":
		f.agreeMode(theirs)
	case "G729":
		f.agreeSilence("annexb", theirs)
	case "G723":
		f.agreeSilence("annexa", theirs)
	case "OPUS":
		f.agreeRate(theirs)
	}
	return f
}

// Parameters are the parameters of an a=fmtp line: "mode=20;vbr=on".
type Parameters string

// Get finds a parameter by its name, without regard to case.
func (p Parameters) Get(name string) (value string, ok bool) {
	for item := range strings.SplitSeq(string(p), ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(item), "=")
		if strings.EqualFold(strings.TrimSpace(key), name) {
			return strings.Trim(strings.TrimSpace(value), "\""), true
		}
	}
	return "", false
}

// Int is Get for a number that is not negative; otherwise it is if it is absent, or none.
func (p Parameters) Int(name string, otherwise int) int {
	text, _ := p.Get(name)
	if n, err := strconv.Atoi(text); err == nil && n >= 0 {
		return n
	}
	return otherwise
}

// with are the parameters with one of them set, which comes last.
func (p Parameters) with(name, value string) Parameters {
	var items []string
	for item := range strings.SplitSeq(string(p), ";") {
		key, _, _ := strings.Cut(strings.TrimSpace(item), "=")
		if key != "" && !strings.EqualFold(key, name) {
			items = append(items, strings.TrimSpace(item))
		}
	}
	return Parameters(strings.Join(append(items, name+"="+value), ";"))
}

// agreeMode: frames of iLBC have 20 ms if both say so, else 30 ms (RFC 3952 section 5).
func (f *Format) agreeMode(theirs Parameters) {
	mode := max(Parameters(f.Fmtp).Int("mode", 30), theirs.Int("mode", 30))
	if mode != 20 {
		mode = 30
	}
	f.FrameTime, f.Fmtp = time.Duration(mode)*time.Millisecond, fmt.Sprint("mode=", mode)
}

// agreeSilence: packets that mark silence are sent if neither end says no (RFC 4856
// sections 2.1.9 and 2.1.10, RFC 7261).
func (f *Format) agreeSilence(annex string, theirs Parameters) {
	if v, _ := theirs.Get(annex); strings.EqualFold(v, "no") {
		f.Fmtp = annex + "=no"
	}
}

// agreeRate: Opus is encoded and decoded at any of its rates, whatever the other end
// does; no higher one is mixed for it than it can play (RFC 7587 section 6.1).
func (f *Format) agreeRate(theirs Parameters) {
	most := theirs.Int("maxplaybackrate", 48000)
	for _, rate := range []int{8000, 16000, 48000} {
		if rate >= most {
			f.SampleRate = min(f.SampleRate, rate)
			break
		}
	}
	if f.SampleRate < 48000 {
		f.Fmtp = string(Parameters(f.Fmtp).with("maxplaybackrate", strconv.Itoa(f.SampleRate)))
	}
}
