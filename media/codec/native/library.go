package native

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrLeftOut: this program cannot load libraries at all.
	ErrLeftOut = errors.New("libraries are left out of this build: it has the tag \"static\", or is for another system than Linux on amd64 or arm64")
	// ErrMissing: none of the files that a Source names can be loaded.
	ErrMissing = errors.New("library cannot be loaded")
	// ErrUnfit: there is a library, but not one that can be used.
	ErrUnfit = errors.New("library cannot be used")
	// ErrBuffer: the destination is too short for what the source holds.
	ErrBuffer = errors.New("destination too short")
	// ErrClosed: a stream was used after its Close.
	ErrClosed = errors.New("the codec is closed")
)

// Source says where a library is to be had.
type Source struct {
	Names   []string // of its file, with the version of its ABI, best first: "libopus.so.0"
	Package string   // of Debian, to be named where it is missing: "libopus0"
}

// Library is a library that was loaded. It stays loaded until the program ends. It is safe
// for concurrent use.
type Library struct {
	name         string
	handle       uintptr
	calloc, free Function
}

// Open loads the first of a source's files that the system's linker finds. The error, which
// is ErrMissing or ErrLeftOut, says what to install.
func Open(s Source) (*Library, error) {
	var failures []string
	for _, name := range s.Names {
		handle, err := load(name)
		if errors.Is(err, ErrLeftOut) {
			return nil, err
		}
		if err != nil {
			failures = append(failures, err.Error())
			continue
		}
		l := &Library{name: name, handle: handle}
		if err := l.Bind(Symbols{"calloc": &l.calloc, "free": &l.free}); err != nil {
			return nil, err
		}
		return l, nil
	}
	return nil, fmt.Errorf("%w: %s; install Debian's package %s", ErrMissing, strings.Join(failures, "; "), s.Package)
}

// Name is the file that was loaded, as the source names it.
func (l *Library) Name() string { return l.name }

// Function is a function of a library. The zero Function must not be called.
type Function struct{ address uintptr }

// Symbols are functions by their names, and where to put them.
type Symbols map[string]*Function

// Bind finds functions, in the library or in those that it needs itself. If one is missing
// the library is of another version than its name says: ErrUnfit.
func (l *Library) Bind(symbols Symbols) error {
	for name, f := range symbols {
		address, err := find(l.handle, name)
		if err != nil {
			return fmt.Errorf("%w: %s has no function %s: install another version of it", ErrUnfit, l.name, name)
		}
		f.address = address
	}
	return nil
}

// Result is what a function gave.
type Result uintptr

// Int is a result of C's type int.
func (r Result) Int() int { return int(int32(r)) }

// Address is a result that is a pointer.
func (r Result) Address() uintptr { return uintptr(r) }

// Int is an argument of C's type int, which may be negative.
func Int(v int) uintptr { return uintptr(v) }
