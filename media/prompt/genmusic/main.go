// Command genmusic composes the music that is played to those who wait, and
// writes it as a WAV file: 24 s of a soft pad and an arpeggio over four chords,
// 16 kHz mono mu-law, about -24 dBFS.
//
//	go run ./media/prompt/genmusic media/prompt/music.wav
//
// Every note rings on past the end into the beginning, so the piece has no seam
// when it is played in a loop. It is ours from the first note, so it may be
// played to anybody without a fee.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: genmusic FILE.wav")
		os.Exit(2)
	}
	if err := os.WriteFile(os.Args[1], wav(compose()), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "writing the music:", err)
		os.Exit(1)
	}
}
