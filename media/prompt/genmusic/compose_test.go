package main

import (
	"bytes"
	"os"
	"testing"
)

// The committed file is what the program makes. Compilers may fuse
// multiplications and additions on some processors, so octets may differ by a
// step there.
func TestCommittedMusicIsOurs(t *testing.T) {
	committed, err := os.ReadFile("../music.wav")
	if err != nil {
		t.Fatal(err)
	}
	made := wav(compose())
	if len(made) != len(committed) || !bytes.Equal(made[:58], committed[:58]) {
		t.Fatal("length or header differ: run go run ./media/prompt/genmusic media/prompt/music.wav")
	}
	differ := 0
	for i := range made {
		if made[i] != committed[i] {
			differ++
		}
	}
	if differ > len(made)/1000 {
		t.Errorf("%d of %d octets differ: run go run ./media/prompt/genmusic media/prompt/music.wav", differ, len(made))
	}
}
