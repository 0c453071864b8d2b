package native

import (
	"encoding/binary"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// The C library itself is what these tests call.
var libc = Source{Names: []string{"libc.so.6"}, Package: "libc6"}

type functions struct{ abs, length, post, value Function }

func open(t testing.TB) (*Library, *functions) {
	t.Helper()
	l, err := Open(libc)
	if errors.Is(err, ErrLeftOut) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	f := &functions{}
	if err := l.Bind(Symbols{"abs": &f.abs, "strlen": &f.length, "sem_post": &f.post, "sem_getvalue": &f.value}); err != nil {
		t.Fatal(err)
	}
	return l, f
}

func stream(t testing.TB, l *Library, size int) *Stream {
	t.Helper()
	s, err := l.NewStream(size)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCall(t *testing.T) {
	l, f := open(t)
	s := stream(t, l, 64)
	defer s.Close()
	if v := s.Call(f.abs, Int(-70000)).Int(); v != 70000 {
		t.Errorf("abs gave %d", v)
	}
	copy(s.Bytes(8, 16), "nine char\x00")
	if n := s.Call(f.length, s.Address(8)).Int(); n != 9 {
		t.Errorf("strlen gave %d", n)
	}
	s.Samples(16, 2)[1] = 0x0102
	if b := s.Bytes(18, 2); binary.NativeEndian.Uint16(b) != 0x0102 {
		t.Errorf("samples are not where octets are: %v", b)
	}
}

func TestBoundsAreKept(t *testing.T) {
	l, _ := open(t)
	s := stream(t, l, 64)
	defer s.Close()
	for name, f := range map[string]func(){
		"octets": func() { s.Bytes(60, 5) }, "samples": func() { s.Samples(62, 2) }, "odd samples": func() { s.Samples(1, 1) },
		"an address": func() { s.Address(65) }, "arguments": func() { s.Call(Function{}, make([]uintptr, maxArguments+1)...) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s beyond the bounds were given", name)
				}
			}()
			f()
		}()
	}
}

// CD1, SE4: what is missing is said, with what to install.
func TestMissing(t *testing.T) {
	l, _ := open(t)
	_, err := Open(Source{Names: []string{"libnowhere.so.7", "libnowhere.so.6"}, Package: "libnowhere7"})
	if !errors.Is(err, ErrMissing) {
		t.Fatal(err)
	}
	for _, part := range []string{"libnowhere.so.7", "libnowhere.so.6", "install", "libnowhere7"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	if err := l.Bind(Symbols{"no_such_function": new(Function)}); !errors.Is(err, ErrUnfit) || !strings.Contains(err.Error(), "no_such_function") {
		t.Errorf("a function that is not there: %v", err)
	}
	if second, err := Open(Source{Names: []string{"libnowhere.so.7", "libc.so.6"}}); err != nil || second.Name() != "libc.so.6" {
		t.Errorf("the second name: %v", err)
	}
}

// semaphore counts how often sem_post was called with its address, as a destructor.
type semaphore struct {
	*Stream
	f *functions
}

func (s semaphore) count() int {
	s.Call(s.f.value, s.Address(0), s.Address(64))
	return int(binary.NativeEndian.Uint32(s.Bytes(64, 4)))
}

func TestCloseDestroysOnce(t *testing.T) {
	l, f := open(t)
	sem := semaphore{stream(t, l, 128), f}
	defer sem.Close()
	s := stream(t, l, 8)
	s.Owns(sem.Address(0), f.post)
	s.Owns(sem.Address(0), f.post)
	s.Close()
	s.Close()
	if n := sem.count(); n != 2 || !s.Closed() {
		t.Errorf("two objects were destroyed %d times", n)
	}
}

// What is forgotten is given back by the garbage collector, and what goes on is not.
func TestForgotten(t *testing.T) {
	l, f := open(t)
	sem := semaphore{stream(t, l, 128), f}
	defer sem.Close()
	kept := stream(t, l, 8)
	kept.Owns(sem.Address(0), f.post)
	func() { stream(t, l, 8).Owns(sem.Address(0), f.post) }()
	for sem.count() == 0 {
		runtime.GC()
		runtime.Gosched()
	}
	runtime.GC()
	if n := sem.count(); n != 1 {
		t.Errorf("%d streams were cleaned up, one was forgotten", n)
	}
	kept.Close()
	if n := sem.count(); n != 2 {
		t.Errorf("the other was not closed")
	}
}

func TestManyAtOnce(t *testing.T) {
	l, f := open(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			s, err := l.NewStream(256)
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			for n := range 255 {
				s.Bytes(0, 256)[n] = 'x'
				if got := s.Call(f.length, s.Address(0)).Int(); got != n+1 {
					t.Errorf("strlen gave %d, want %d", got, n+1)
				}
			}
		})
		runtime.GC()
	}
	all.Wait()
}

func TestNoAllocation(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector drops what sync.Pool keeps, where purego has its arguments")
	}
	l, f := open(t)
	s := stream(t, l, 8)
	defer s.Close()
	if a := testing.AllocsPerRun(1000, func() { s.Call(f.abs, Int(-7), 0, 0, 0) }); a != 0 {
		t.Errorf("a call allocates %v times", a)
	}
}

func BenchmarkCall(b *testing.B) {
	l, f := open(b)
	s := stream(b, l, 8)
	defer s.Close()
	b.ReportAllocs()
	for b.Loop() {
		s.Call(f.abs, Int(-7))
	}
}
