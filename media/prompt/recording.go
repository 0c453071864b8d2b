package prompt

// Recording is a piece of sound at both rates, for a player whose rate may change
// while it plays. The zero Recording plays as nothing.
type Recording struct{ r recording }

// PCM is the whole sound at Narrowband or Wideband, shared and not to be written
// to; nil at any other rate.
func (r Recording) PCM(rate int) []int16 {
	switch rate {
	case Narrowband:
		return r.r.narrow
	case Wideband:
		return r.r.wide
	}
	return nil
}

// Recording finds a prompt as [Library.Clip] does.
func (l *Library) Recording(lang string, id ID) Recording {
	r, _ := l.find(fallbacks(lang), id)
	return Recording{r}
}

// MusicRecording is the music for those who wait, for a loop.
func (l *Library) MusicRecording() Recording { return Recording{l.musicHere()} }

// NewRecording makes a Recording of what was captured at one of the two rates. It
// is empty if pcm is, or for another rate.
func NewRecording(pcm []int16, rate int) Recording {
	switch rate {
	case Narrowband:
		return Recording{recording{narrow: pcm, wide: upsample(pcm, once)}}
	case Wideband:
		return Recording{recording{narrow: downsample(pcm, once), wide: pcm}}
	}
	return Recording{}
}
