package prompt

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// DefaultLanguage is the language of the built-in prompts, which is complete. It
// is spoken where a caller's language lacks a prompt.
const DefaultLanguage = "en"

// The sampling rates, in Hz, at which clips are to be had.
const (
	Narrowband = 8000
	Wideband   = 16000
	Fullband   = 48000 // made of Wideband when it is first asked for, and kept
)

// Clip is a piece of mono sound. Its samples are shared by all who play it and
// must not be written to.
type Clip struct {
	PCM  []int16
	Rate int // in Hz: Narrowband, Wideband or Fullband
}

// Duration returns how long the clip plays.
func (c Clip) Duration() time.Duration {
	if c.Rate == 0 {
		return 0
	}
	return time.Duration(len(c.PCM)) * time.Second / time.Duration(c.Rate)
}

// recording is one clip at all rates. Copies share what is made later.
type recording struct {
	narrow, wide []int16
	full         *fullband
}

// fullband is a clip at that rate, which few need: it takes three times the memory.
type fullband struct {
	once sync.Once
	pcm  []int16
	edge edge
}

func newRecording(narrow, wide []int16, e edge) recording {
	return recording{narrow: narrow, wide: wide, full: &fullband{edge: e}}
}

// at is the clip at a rate; nil at one that there is none of.
func (r recording) at(rate int) []int16 {
	switch {
	case rate == Narrowband:
		return slices.Clip(r.narrow)
	case rate == Wideband:
		return slices.Clip(r.wide)
	case rate == Fullband && r.full != nil:
		r.full.once.Do(func() { r.full.pcm = triple(r.wide, r.full.edge) })
		return slices.Clip(r.full.pcm)
	}
	return nil
}

func (r recording) clip(rate int) Clip {
	if pcm := r.at(rate); pcm != nil {
		return Clip{PCM: pcm, Rate: rate}
	}
	return Clip{}
}

// Library is a set of prompts in one or more languages. See [Load].
type Library struct {
	languages map[string]map[ID]recording // by language tag in lower case
	music     recording                   // empty: the base's

	base               *Library // where what is missing here is looked for; nil: there is none
	numbers, customers scopes
}

// Clip returns a prompt in a language (a BCP 47 tag in any case, such as
// "en-GB") at rate Narrowband, Wideband or Fullband. A prompt that the tag lacks is taken
// from the shorter tags ("en"), then from [DefaultLanguage]. An id that none of
// them has, or another rate, gives the empty clip, which plays as nothing.
func (l *Library) Clip(lang string, id ID, rate int) Clip {
	r, ok := l.find(fallbacks(lang), id)
	if !ok {
		return Clip{}
	}
	return r.clip(rate)
}

// Has reports whether [Library.Clip] finds id in lang or its fallbacks.
func (l *Library) Has(lang string, id ID) bool {
	_, ok := l.find(fallbacks(lang), id)
	return ok
}

// Languages returns the tags of all languages that have a prompt, in lower case
// and sorted.
func (l *Library) Languages() []string {
	tags := make([]string, 0, len(l.languages))
	for tag := range l.languages {
		tags = append(tags, tag)
	}
	slices.Sort(tags)
	return tags
}

// Music returns the music for those who wait. Its end continues in its beginning
// without a click: play it in a loop.
func (l *Library) Music(rate int) Clip { return l.musicHere().clip(rate) }

func (l *Library) musicHere() recording {
	for at := l; at != nil; at = at.base {
		if len(at.music.narrow) > 0 {
			return at.music
		}
	}
	return recording{}
}

// MaxNumber is the greatest number that can be spoken.
const MaxNumber = 999_999

// Number returns the prompts that speak n one after the other, or nil if n is
// outside 0..MaxNumber. They are put together the English way ("one hundred",
// "twenty", "one"), but a language that has a recording of the whole of a part,
// such as number-21 for "einundzwanzig", gets that one.
func (l *Library) Number(lang string, n int) []ID {
	if n < 0 || n > MaxNumber {
		return nil
	}
	return l.appendNumber(nil, fallbacks(lang), n)
}

func (l *Library) appendNumber(ids []ID, tags []string, n int) []ID {
	if l.hasOwn(tags, numberID(n)) {
		return append(ids, numberID(n))
	}
	unit, word := 0, ID("")
	switch {
	case n >= 1000:
		unit, word = 1000, Thousand
	case n >= 100:
		unit, word = 100, Hundred
	default: // 21..99
		unit = 10
	}
	if unit == 10 {
		ids = append(ids, numberID(n/unit*unit))
	} else {
		ids = append(l.appendNumber(ids, tags, n/unit), word)
	}
	if rest := n % unit; rest != 0 {
		ids = l.appendNumber(ids, tags, rest)
	}
	return ids
}

// hasOwn reports whether n can be spoken as a single piece: the bare words
// "hundred" and "thousand" are not numbers by themselves.
func (l *Library) hasOwn(tags []string, id ID) bool {
	if id == Hundred || id == Thousand {
		return false
	}
	_, ok := l.find(tags, id)
	return ok
}

// Keys returns the prompts that speak telephone keys (0-9, *, #) one by one.
// Other characters are left out.
func (l *Library) Keys(keys string) []ID {
	var ids []ID
	for _, key := range keys {
		switch {
		case key >= '0' && key <= '9':
			ids = append(ids, numberID(int(key-'0')))
		case key == '*':
			ids = append(ids, Star)
		case key == '#':
			ids = append(ids, Pound)
		}
	}
	return ids
}

func numberID(n int) ID { return ID(numberPrefix + strconv.Itoa(n)) }

func (l *Library) find(tags []string, id ID) (recording, bool) {
	for _, tag := range tags {
		for at := l; at != nil; at = at.base {
			if r, ok := at.languages[tag][id]; ok {
				return r, true
			}
		}
	}
	return recording{}, false
}

// fallbacks returns the tags to look in, best first: "de-CH" gives de-ch, de, en
// (the lookup of RFC 4647 section 3.4).
func fallbacks(lang string) []string {
	tag := strings.ToLower(lang)
	var tags []string
	for tag != "" {
		tags = append(tags, tag)
		cut := strings.LastIndexByte(tag, '-')
		if cut < 0 {
			break
		}
		tag = tag[:cut]
	}
	if !slices.Contains(tags, DefaultLanguage) {
		tags = append(tags, DefaultLanguage)
	}
	return tags
}
