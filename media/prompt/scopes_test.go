package prompt

import (
	"strings"
	"testing"
)

// CA4: prompts of an access number's and of a customer's own.
func TestPromptsOfOnesOwn(t *testing.T) {
	file := func(n int) (f tree) { return tree{"f": wavFile(8000, 1, wavePCM, n)} }
	l := few(t, tree{
		"en/welcome.wav":                file(20)["f"],
		"numbers/1800/en/welcome.wav":   file(30)["f"],
		"numbers/1800/de/welcome.wav":   file(31)["f"],
		"numbers/1800/music.wav":        file(32)["f"],
		"customers/acme/en/welcome.wav": file(40)["f"],
		"customers/acme/en/x-motto.wav": file(41)["f"],
	})
	for _, c := range []struct {
		number, customer, lang string
		id                     ID
		want                   int
	}{
		{"", "", "en", Welcome, 20},
		{"1900", "nobody", "en", Welcome, 20},
		{"1800", "", "en", Welcome, 30},
		{"1800", "nobody", "de", Welcome, 31},
		{"1800", "", "en", Goodbye, 10},
		{"", "acme", "en", Welcome, 40},
		{"1800", "acme", "en", Welcome, 40},
		{"1800", "acme", "de", Welcome, 31}, // the caller's language first
		{"1800", "acme", "en", "x-motto", 41},
		{"1800", "", "en", "x-motto", 0},
		{"1800", "acme", "en", Goodbye, 10},
	} {
		if got := len(l.For(c.number, c.customer).Clip(c.lang, c.id, Narrowband).PCM); got != c.want {
			t.Errorf("%+v: %d samples", c, got)
		}
	}
	for number, want := range map[string]int{"1800": 32, "1900": 1000} {
		if got := len(l.For(number, "acme").Music(Narrowband).PCM); got != want {
			t.Errorf("music of %s: %d samples, want %d", number, got, want)
		}
	}
}

func TestPromptsInTheWrongPlaceAreTold(t *testing.T) {
	for name, want := range map[string]string{
		"numbers/welcome.wav":            "numbers/18665552637/en/welcome.wav",
		"numbers/1800/welcome.wav":       "numbers/1800: welcome.wav",
		"customers/acme/en/welcom.wav":   "customers/acme: en/welcom.wav",
		"customers/acme/numbers/1/x.wav": "customers/acme",
		"numbers/1800/en/welcome.g729":   "convert it with",
	} {
		_, err := load(small, tree{name: wavFile(8000, 1, wavePCM, 10)})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
