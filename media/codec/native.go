package codec

import (
	"slices"
	"time"
)

// All has the standard codecs, and after them those that need a library of the system: where
// one is missing, its codec is listed with what to install, and not offered. opusRate is the
// most that Opus is to have, in Hz; for silence see G729.
func All(opusRate int, silence bool) *Registry {
	return NewRegistry(slices.Concat(standard(), []Codec{Opus(opusRate)}, Speex(), []Codec{G729(silence), G723()})...)
}

// voiced is golden audio for codecs that are made for speech, and whose payloads may differ
// from one implementation to the next: 240 ms, in packets of a length, of a wave of 150 Hz
// with many overtones.
func voiced(rate int, packet time.Duration) Golden {
	pcm := make([]int16, rate*240/1000)
	period := rate / 150
	for i := range pcm {
		phase := i % period
		pcm[i] = int16(8000 - 24000*phase/period)
		if phase > period*2/3 {
			pcm[i] = int16(-8000 + 48000*(phase-period*2/3)/period)
		}
	}
	return Golden{PCM: pcm, Packet: rate * int(packet/time.Millisecond) / 1000}
}
