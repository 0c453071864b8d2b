// Package prompt holds what the system says and plays to callers: spoken
// sentences, numbers, tones, and music for those who wait.
//
// [Load] reads the prompts built into the program (folder en, made by
// generate.sh from en/prompts.tsv; music.wav, made by genmusic), then those of
// the operator, each of which replaces a built-in one or adds a language:
//
//	prompts/
//	    en/welcome.wav          replaces one sentence
//	    de/enter-code.wav       German, as far as it goes; English for the rest
//	    en/x-acme-welcome.wav   the operator's own, played by that id
//	    music.wav               replaces the music
//	    numbers/18665552637/    laid out the same: for callers of this access number
//	    customers/CUSTOMER-ID/  likewise: in the rooms of this customer
//
// A file is WAV or .au with 16-bit PCM, A-law or mu-law, mono, at 8 or 16 kHz.
// Anything else is refused by [Load] with the sox command that converts it, so
// that a wrong file is found when the node starts and not when somebody calls.
//
// A [Library] is never changed after Load, so any number of goroutines may read
// it. All clips are held decoded at both rates, about 50 kB for each second:
// playing one is copying it.
package prompt
