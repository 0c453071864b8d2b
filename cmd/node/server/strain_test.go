package server

import (
	"strings"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/media/engine"
)

// OP3: callers are refused when audio takes too much of the time, or begins late, for some
// seconds, and taken again after a calm while; not for one bad moment, nor when few have
// left.
func TestStrain(t *testing.T) {
	s := strain{limit: 0.8}
	now := time.Now()
	l := engine.Load{Workers: 2}
	second := func(busy, late float64) (bool, string) {
		now = now.Add(time.Second)
		l.Ticks += 100
		l.Busy += time.Duration(busy * 2 * float64(time.Second))
		l.Late += uint64(late * 100)
		return s.look(now, l)
	}
	is := func(want bool, seconds int, busy, late float64) {
		t.Helper()
		for i := range seconds {
			if got, _ := second(busy, late); got != want {
				t.Fatalf("after %d s with %v busy and %v late: refusing is %v", i+1, busy, late, got)
			}
		}
	}
	is(false, 5, 0.5, 0)
	is(false, 1, 0.99, 0.5)
	is(false, 1, 0.5, 0)
	is(false, 1, 0.9, 0)
	refuse, why := second(0.9, 0)
	if !refuse || !strings.Contains(why, "90 %") {
		t.Errorf("%v, %q", refuse, why)
	}
	is(true, 30, 0.75, 0) // fewer, and not few enough
	is(true, calmFor-1, 0.6, 0)
	is(true, 1, 0.7, 0)
	is(true, calmFor-1, 0.6, 0.01)
	is(false, 10, 0.6, 0)

	is(false, 1, 0.1, 0.2)
	is(true, 5, 0.1, 0.2) // not its own doing, and late all the same
	is(true, calmFor-1, 0.1, 0)
	is(false, 1, 0.1, 0)

	l.Skipped += 50 // it stood still
	is(false, 1, 0.1, 0)
	l.Skipped += 50
	if refuse, _ := second(0.1, 0); !refuse {
		t.Error("what is left out is not late")
	}

	never := strain{}
	for range 10 {
		now = now.Add(time.Second)
		l.Busy += 2 * time.Second
		if refuse, _ := never.look(now, l); refuse {
			t.Fatal("refused without a limit")
		}
	}
}
