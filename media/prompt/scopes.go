package prompt

import (
	"fmt"
	"io/fs"
)

// The folders of an operator's tree whose sub-folders hold what is spoken for one
// access number or one customer alone, each laid out like the tree itself.
const (
	numbersDir   = "numbers"
	customersDir = "customers"
)

// scopes are the libraries of those that have prompts of their own.
type scopes map[string]*Library

// For returns the library for calls to an access number and, once it is known, into
// rooms of a customer, by its id; either may be empty. What the customer has of its own
// wins over what the number has, and that over what everybody hears. Within that, a
// prompt in the caller's language always wins over one in another.
func (l *Library) For(number, customer string) *Library {
	view := l
	if own := l.numbers[number]; own != nil {
		view = own
	}
	own := l.customers[customer]
	if own == nil {
		return view
	}
	if view == l {
		return own
	}
	return &Library{languages: own.languages, music: own.music, base: view}
}

// addScopes reads the sub-folders of numbers or customers.
func (l *loader) addScopes(tree fs.FS, dir string, into map[string]*loader) (problems []error) {
	entries, err := fs.ReadDir(tree, dir)
	if err != nil {
		return []error{fmt.Errorf("reading the prompt directory %s: %w", dir, err)}
	}
	for _, entry := range entries {
		name := entry.Name()
		if !entry.IsDir() {
			if isSound(name) {
				problems = append(problems, fmt.Errorf("%s/%s: it needs a folder for whom it is and one for its language, such as %s/18665552637/%s/%s",
					dir, name, dir, DefaultLanguage, name))
			}
			continue
		}
		sub, err := fs.Sub(tree, dir+"/"+name)
		if err != nil {
			problems = append(problems, fmt.Errorf("reading the prompt directory %s/%s: %w", dir, name, err))
			continue
		}
		if into[name] == nil {
			into[name] = &loader{languages: map[string]map[ID]recording{}, known: l.known, nested: true}
		}
		for _, problem := range into[name].addTree(sub) {
			problems = append(problems, fmt.Errorf("%s/%s: %w", dir, name, problem))
		}
	}
	return problems
}

// over makes the libraries that are looked into before base.
func over(base *Library, loaders map[string]*loader) scopes {
	s := scopes{}
	for name, l := range loaders {
		s[name] = &Library{languages: l.languages, music: l.music, base: base}
	}
	return s
}
