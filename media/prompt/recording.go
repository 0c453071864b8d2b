package prompt

// Recording is a piece of sound at all rates, for a player whose rate may change
// while it plays. The zero Recording plays as nothing.
type Recording struct{ r recording }

// PCM is the whole sound at Narrowband, Wideband or Fullband, shared and not to be written
// to; nil at any other rate. The first call at Fullband takes some milliseconds for each
// second of sound.
func (r Recording) PCM(rate int) []int16 { return r.r.at(rate) }

// Recording finds a prompt as [Library.Clip] does.
func (l *Library) Recording(lang string, id ID) Recording {
	r, _ := l.find(fallbacks(lang), id)
	return Recording{r}
}

// MusicRecording is the music for those who wait, for a loop.
func (l *Library) MusicRecording() Recording { return Recording{l.musicHere()} }

// NewRecording makes a Recording of what was captured at Narrowband or Wideband.
// It is empty if pcm is, or for another rate.
func NewRecording(pcm []int16, rate int) Recording {
	switch rate {
	case Narrowband:
		return Recording{newRecording(pcm, upsample(pcm, once), once)}
	case Wideband:
		return Recording{newRecording(downsample(pcm, once), pcm, once)}
	}
	return Recording{}
}
