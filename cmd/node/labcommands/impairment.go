package labcommands

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/conclave-voice/conclave/testenv/wan"
)

// impairmentFlags say what a link is to do to packets.
type impairmentFlags struct {
	perfect                         bool
	delay, jitter, holdBack, buffer time.Duration
	loss, duplicate, reorder        percentage
	rate                            bitRate
	maxPacket                       int
	set                             map[string]func(*wan.Impairment) // by the flag's name
}

func newImpairmentFlags() *impairmentFlags {
	f := &impairmentFlags{}
	f.set = map[string]func(*wan.Impairment){
		"delay": func(i *wan.Impairment) { i.Delay = f.delay }, "jitter": func(i *wan.Impairment) { i.Jitter = f.jitter },
		"loss": func(i *wan.Impairment) { i.Loss = float64(f.loss) }, "duplicate": func(i *wan.Impairment) { i.Duplicate = float64(f.duplicate) },
		"reorder": func(i *wan.Impairment) { i.Reorder = float64(f.reorder) }, "hold-back": func(i *wan.Impairment) { i.HoldBack = f.holdBack },
		"rate": func(i *wan.Impairment) { i.Rate = int64(f.rate) }, "buffer": func(i *wan.Impairment) { i.Buffer = f.buffer },
		"max-packet": func(i *wan.Impairment) { i.MaxPacket = f.maxPacket },
	}
	return f
}

func (f *impairmentFlags) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.DurationVar(&f.delay, "delay", 0, "`TIME` that every packet takes")
	flags.DurationVar(&f.jitter, "jitter", 0, "up to so much `TIME` more, evenly spread; the order is kept")
	flags.Var(&f.loss, "loss", "`PERCENTAGE` of packets that are lost, such as 5%")
	flags.Var(&f.duplicate, "duplicate", "`PERCENTAGE` of packets that arrive twice")
	flags.Var(&f.reorder, "reorder", "`PERCENTAGE` of packets that later ones overtake")
	flags.DurationVar(&f.holdBack, "hold-back", 0, "`TIME` that reordered packets come later; 0: 20ms")
	flags.Var(&f.rate, "rate", "`BITS` in a second that pass, such as 256kbit or 2mbit; 0: no limit")
	flags.DurationVar(&f.buffer, "buffer", 0, "`TIME` that a packet waits for the rate at most, before it is dropped; 0: 200ms")
	flags.IntVar(&f.maxPacket, "max-packet", 0, "`OCTETS`: larger packets vanish, as in a path with a wrong MTU; 0: no limit")
	flags.BoolVar(&f.perfect, "perfect", false, "no delay, no loss, nothing")
	for _, name := range []string{"loss", "duplicate", "reorder", "rate"} {
		flags.Lookup(name).DefValue = "" // what is not given stays, and is not 0
	}
}

// given is whether anything is to be set.
func (f *impairmentFlags) given(cmd *cobra.Command) bool {
	return slices.ContainsFunc(slices.Collect(maps.Keys(f.set)), cmd.Flags().Changed)
}

// apply sets what flags were given for.
func (f *impairmentFlags) apply(cmd *cobra.Command, i *wan.Impairment) {
	for name, set := range f.set {
		if cmd.Flags().Changed(name) {
			set(i)
		}
	}
}

// percentage is a share, written as 5%.
type percentage float64

func (p *percentage) String() string { return shareText(float64(*p)) }
func (*percentage) Type() string     { return "percentage" }

func (p *percentage) Set(s string) error {
	text, marked := strings.CutSuffix(s, "%")
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !marked || !(v >= 0 && v <= 100) {
		return errors.New("write a percentage from 0% to 100%, such as 5%")
	}
	*p = percentage(v / 100)
	return nil
}

// bitRate is in bits a second, written as 256kbit.
type bitRate int64

func (r *bitRate) String() string { return rateText(int64(*r)) }
func (*bitRate) Type() string     { return "rate" }

func (r *bitRate) Set(s string) error {
	text, unit := strings.ToLower(s), 1.0
	for _, u := range []struct {
		suffix string
		bits   float64
	}{{"gbit", 1e9}, {"mbit", 1e6}, {"kbit", 1e3}, {"bit", 1}} {
		if rest, found := strings.CutSuffix(text, u.suffix); found {
			text, unit = rest, u.bits
			break
		}
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v >= 0 && v*unit <= math.MaxInt32*1e3) {
		return errors.New("write bits in a second, such as 64000, 256kbit or 2mbit")
	}
	*r = bitRate(v * unit)
	return nil
}

// stateText is how a direction is, in words.
func stateText(s wan.State) string {
	words := []string{}
	if s.Cut {
		words = append(words, "CUT")
	}
	if len(s.CutOnly) > 0 {
		words = append(words, "CUT for "+strings.Join(s.CutOnly, ", "))
	}
	words = append(words, impairmentText(s.Impairment))
	for _, class := range slices.Sorted(maps.Keys(s.Classes)) {
		words = append(words, class+": "+impairmentText(s.Classes[class]))
	}
	return strings.Join(words, "; ")
}

// impairmentText is what is done to packets, in words.
func impairmentText(i wan.Impairment) string {
	var words []string
	say := func(name string, is bool, value string) {
		if is {
			words = append(words, name+" "+value)
		}
	}
	say("delay", i.Delay != 0, i.Delay.String())
	say("jitter", i.Jitter != 0, i.Jitter.String())
	say("loss", i.Loss != 0, shareText(i.Loss))
	say("duplicate", i.Duplicate != 0, shareText(i.Duplicate))
	say("reorder", i.Reorder != 0, shareText(i.Reorder))
	say("hold back", i.HoldBack != 0, i.HoldBack.String())
	say("rate", i.Rate != 0, rateText(i.Rate))
	say("buffer", i.Buffer != 0, i.Buffer.String())
	say("packets up to", i.MaxPacket != 0, fmt.Sprint(i.MaxPacket))
	if len(words) == 0 {
		return "perfect"
	}
	return strings.Join(words, ", ")
}

func shareText(share float64) string { return strconv.FormatFloat(share*100, 'g', 4, 64) + "%" }

func rateText(bits int64) string {
	switch {
	case bits >= 1e6:
		return strconv.FormatFloat(float64(bits)/1e6, 'g', 4, 64) + "mbit"
	case bits >= 1e3:
		return strconv.FormatFloat(float64(bits)/1e3, 'g', 4, 64) + "kbit"
	}
	return strconv.FormatInt(bits, 10) + "bit"
}
