package prompt

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// soundExtensions are the endings taken for sound files. Those that cannot be
// read are here so that they are refused and not silently passed over.
var soundExtensions = []string{
	".wav", ".au", ".snd", ".mp3", ".ogg", ".opus", ".flac", ".m4a", ".aac",
	".wma", ".aif", ".aiff", ".gsm", ".raw", ".pcm", ".al", ".alaw", ".ul", ".ulaw", ".g729",
}

func isSound(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	for _, e := range soundExtensions {
		if ext == e {
			return true
		}
	}
	return false
}

// stem returns a file's name without folder and extension.
func stem(name string) string {
	base := path.Base(name)
	return strings.TrimSuffix(base, path.Ext(base))
}

// sound is the content of a sound file.
type sound struct {
	rate     int // in Hz
	channels int
	pcm      []int16
}

// readFile reads one sound file at both rates.
func readFile(tree fs.FS, name string, edge edge) (recording, error) {
	content, err := readBounded(tree, name)
	if err != nil {
		return recording{}, fmt.Errorf("%s: %w", name, err)
	}
	s, err := decode(name, content)
	if err == nil {
		err = s.check()
	}
	if err != nil {
		return recording{}, fmt.Errorf("%s: %w; convert it with: %s", name, err, soxCommand(name))
	}
	if s.rate == Narrowband {
		return newRecording(s.pcm, upsample(s.pcm, edge), edge), nil
	}
	return newRecording(downsample(s.pcm, edge), s.pcm, edge), nil
}

func readBounded(tree fs.FS, name string) ([]byte, error) {
	f, err := tree.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err != nil {
		return nil, err
	}
	if len(content) > maxFileSize {
		return nil, fmt.Errorf("is larger than %d MiB: cut it", maxFileSize>>20)
	}
	return content, nil
}

func decode(name string, content []byte) (sound, error) {
	switch strings.ToLower(path.Ext(name)) {
	case ".wav":
		return decodeWAV(content)
	case ".au", ".snd":
		return decodeAU(content)
	}
	return sound{}, errors.New("is of a kind that cannot be read (WAV and .au can)")
}

// check tells what a decoded file has that cannot be played.
func (s sound) check() error {
	switch {
	case s.channels != 1:
		return fmt.Errorf("has %d channels, not 1", s.channels)
	case s.rate != Narrowband && s.rate != Wideband:
		return fmt.Errorf("has a sampling rate of %d Hz, not 8000 or 16000", s.rate)
	case len(s.pcm) == 0:
		return errors.New("holds no samples")
	}
	return nil
}

// soxCommand returns the command that makes a usable file of name. sox cannot
// write the file that it reads, so a WAV goes through a second one.
func soxCommand(name string) string {
	const format = "-r 16000 -c 1 -b 16 -e signed-integer"
	wav := strings.TrimSuffix(name, path.Ext(name)) + ".wav"
	if wav != name {
		return fmt.Sprintf("sox '%s' %s '%s' && rm '%s'", name, format, wav, name)
	}
	return fmt.Sprintf("sox '%s' %s '%s.new.wav' && mv '%s.new.wav' '%s'", name, format, name, name, name)
}
