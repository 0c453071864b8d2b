package quality

import (
	"strconv"
	"strings"
	"time"
)

// Codec is what a codec does to speech. A wideband codec's figures are on the scale of
// G.107.1.
type Codec struct {
	Ie        float64       // equipment impairment factor without loss
	Bpl       float64       // packet-loss robustness factor, with concealment: more bears more loss
	Wideband  bool          // 50 to 7,000 Hz at least
	LookAhead time.Duration // what the encoder waits for beyond the audio of its packet
	// Assumed says that no figures are published for this codec, and these are ours.
	Assumed bool
}

// codecs are the figures by the name in SDP, in small letters; of some that have several
// sample rates, by name and rate.
//
// Published are: Ie and Bpl of G.711 with the concealment of its Appendix I, which is how
// package playout conceals, of G.729A and of G.723.1 (both with VAD), and Ie of the ADPCM
// rates and of GSM (ITU-T G.113 Appendix I); and Ie of G.722 (G.113 Appendix IV).
// Assumed, for want of a published value:
//
//   - Bpl of G.722: that of G.711, for it is concealed by the same means.
//   - Bpl of G.726 and GSM: that of GSM-EFR. They too have a state that a loss upsets.
//   - iLBC: Ie of G.729A, which it is said to equal; Bpl of G.711, for its frames do not
//     depend on one another, and it conceals.
//   - DVI4: Ie of G.726 at the same rate; Bpl of G.711, for each packet tells its state.
//   - LPC: Ie of G.726 at 16 kbit/s, and it may be worse.
//   - Opus: Ie 5 and Bpl 15, of which nothing is published, at 24 kbit/s or more without error
//     correction; at 8 kHz Ie of GSM-EFR.
//   - Speex: narrowband as G.729A; wideband Ie of G.722, and Bpl of Opus.
var codecs = map[string]Codec{
	"pcmu":    {Ie: 0, Bpl: 25.1},
	"pcma":    {Ie: 0, Bpl: 25.1},
	"g722":    {Ie: 13, Bpl: 25.1, Wideband: true, LookAhead: 1500 * time.Microsecond, Assumed: true},
	"g729":    {Ie: 11, Bpl: 19, LookAhead: 5 * time.Millisecond},
	"g723":    {Ie: 15, Bpl: 16.1, LookAhead: 7500 * time.Microsecond},
	"gsm":     {Ie: 20, Bpl: 10, Assumed: true},
	"ilbc":    {Ie: 11, Bpl: 25.1, LookAhead: 5 * time.Millisecond, Assumed: true},
	"dvi4":    {Ie: 7, Bpl: 25.1, Assumed: true},
	"lpc":     {Ie: 50, Bpl: 25.1, Assumed: true},
	"g726-40": {Ie: 2, Bpl: 10, Assumed: true},
	"g726-32": {Ie: 7, Bpl: 10, Assumed: true},
	"g726-24": {Ie: 25, Bpl: 10, Assumed: true},
	"g726-16": {Ie: 50, Bpl: 10, Assumed: true},
	"opus":    {Ie: 5, Bpl: 15, Wideband: true, LookAhead: 6500 * time.Microsecond, Assumed: true},
	"speex":   {Ie: 11, Bpl: 19, LookAhead: 10 * time.Millisecond, Assumed: true},

	"opus/8000":   {Ie: 5, Bpl: 15, LookAhead: 6500 * time.Microsecond, Assumed: true},
	"speex/16000": {Ie: 13, Bpl: 15, Wideband: true, LookAhead: 14 * time.Millisecond, Assumed: true},
}

// unknownCodec is what is assumed of any other: that it is neither good nor robust.
var unknownCodec = Codec{Ie: 10, Bpl: 10, Assumed: true}

// CodecNamed is the codec with this name in SDP, compared without case, and the sample rate
// in Hz of its audio.
func CodecNamed(name string, sampleRate int) Codec {
	name = strings.TrimPrefix(strings.ToLower(name), "aal2-") // the same bits in another order
	for _, key := range []string{name + "/" + strconv.Itoa(sampleRate), name} {
		if c, known := codecs[key]; known {
			return c
		}
	}
	return unknownCodec
}
