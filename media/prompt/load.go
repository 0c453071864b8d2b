package prompt

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"strconv"
	"strings"
)

//go:embed en/*.wav music.wav
var builtIn embed.FS

// maxFileSize bounds what a wrong file can cost: 16 minutes of 16-bit PCM at
// 16 kHz.
const maxFileSize = 32 << 20

// musicName is the file, at the top of a tree, that holds the music.
const musicName = "music"

// Load reads the built-in prompts and then each of overrides, the later ones
// replacing what the earlier ones have. An override is a tree of folders named
// by language tag, as in the package comment; files that are no sound files by
// their extension are ignored. The error joins one for each file that cannot be
// used, each naming the file, what is wrong with it and what to do.
func Load(overrides ...fs.FS) (*Library, error) {
	return load(builtIn, overrides...)
}

func load(builtIn fs.FS, overrides ...fs.FS) (*Library, error) {
	l := &loader{languages: map[string]map[ID]recording{DefaultLanguage: tones()},
		numbers: map[string]*loader{}, customers: map[string]*loader{}}
	problems := l.addTree(builtIn)
	l.known = maps.Clone(l.languages[DefaultLanguage])
	for _, tree := range overrides {
		problems = append(problems, l.addTree(tree)...)
	}
	if len(problems) > 0 {
		return nil, fmt.Errorf("prompts: %w", errors.Join(problems...))
	}
	all := &Library{languages: l.languages, music: l.music}
	all.numbers, all.customers = over(all, l.numbers), over(all, l.customers)
	return all, nil
}

// loader gathers what becomes a Library.
type loader struct {
	languages map[string]map[ID]recording
	music     recording
	known     map[ID]recording // the built-in prompts; nil while they are being read

	numbers, customers map[string]*loader // those with prompts of their own
	nested             bool               // this is one of them
}

func (l *loader) addTree(tree fs.FS) (problems []error) {
	entries, err := fs.ReadDir(tree, ".")
	if err != nil {
		return []error{fmt.Errorf("reading the prompt directory: %w", err)}
	}
	for _, entry := range entries {
		name := entry.Name()
		switch {
		case strings.HasPrefix(name, "."):
		case entry.IsDir() && l.nested && (name == numbersDir || name == customersDir):
			problems = append(problems, fmt.Errorf("%s: this folder goes to the top of the prompt directory", name))
		case entry.IsDir() && name == numbersDir:
			problems = append(problems, l.addScopes(tree, name, l.numbers)...)
		case entry.IsDir() && name == customersDir:
			problems = append(problems, l.addScopes(tree, name, l.customers)...)
		case entry.IsDir():
			problems = append(problems, l.addLanguage(tree, name)...)
		case isSound(name) && stem(name) == musicName:
			music, err := readFile(tree, name, loop)
			if err != nil {
				problems = append(problems, err)
				continue
			}
			l.music = music
		case isSound(name):
			problems = append(problems, fmt.Errorf(
				"%s: prompts are in a folder for each language: move it to %s/%s", name, DefaultLanguage, name))
		}
	}
	return problems
}

func (l *loader) addLanguage(tree fs.FS, dir string) (problems []error) {
	entries, err := fs.ReadDir(tree, dir)
	if err != nil {
		return []error{fmt.Errorf("reading prompts of language %s: %w", dir, err)}
	}
	added := make(map[ID]recording)
	for _, entry := range entries {
		name := path.Join(dir, entry.Name())
		if entry.IsDir() || strings.HasPrefix(entry.Name(), ".") || !isSound(name) {
			continue
		}
		id := ID(stem(name))
		if _, twice := added[id]; twice {
			problems = append(problems, fmt.Errorf("%s: another file of this folder is %s too: remove one", name, id))
			continue
		}
		if err := l.checkID(id); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", name, err))
			continue
		}
		r, err := readFile(tree, name, once)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		added[id] = r
	}
	l.merge(strings.ToLower(dir), added)
	return problems
}

func (l *loader) merge(tag string, added map[ID]recording) {
	have := l.languages[tag]
	if have == nil {
		have = make(map[ID]recording, len(added))
		l.languages[tag] = have
	}
	for id, r := range added {
		have[id] = r
	}
}

// checkID refuses a file that would never be played, which most often has its
// name misspelt.
func (l *loader) checkID(id ID) error {
	if l.known == nil || strings.HasPrefix(string(id), ownPrefix) {
		return nil
	}
	if _, known := l.known[id]; known {
		return nil
	}
	if digits, isNumber := strings.CutPrefix(string(id), numberPrefix); isNumber {
		if n, err := strconv.Atoi(digits); err == nil && n >= 0 && n <= MaxNumber && numberID(n) == id {
			return nil
		}
	}
	return fmt.Errorf("there is no prompt %q: the names are in media/prompt/en/prompts.tsv; "+
		"a prompt of your own has a name that begins with %s", id, ownPrefix)
}
