package wan

import (
	"math"
	"testing"
	"time"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

const (
	sip   = 0
	other = 1
)

func newTestDirection(seed uint64) *direction {
	return newDirection(seed, "a", "b", []string{"sip", Other})
}

// fates are those of n packets of 200 octets, one every millisecond.
func fates(d *direction, class, n int) []fate {
	var all []fate
	for i := range n {
		all = append(all, d.decide(start.Add(time.Duration(i)*time.Millisecond), class, 200))
	}
	return all
}

func count(all []fate, is func(fate) bool) (n int) {
	for _, f := range all {
		if is(f) {
			n++
		}
	}
	return n
}

func isLost(f fate) bool { return f.why == lost }

// SPEC OP2: the same seed and the same packets give the same decisions.
func TestSameSeedSameFate(t *testing.T) {
	i := Impairment{Delay: time.Millisecond, Jitter: 5 * time.Millisecond, Loss: 0.3, Duplicate: 0.2, Reorder: 0.1}
	a, b, c := newTestDirection(7), newTestDirection(7), newTestDirection(8)
	a.base, b.base, c.base = i, i, i
	fates(b, sip, 500) // what another class does makes no difference
	b.shared = pipe{}
	first, second, third := fates(a, other, 1000), fates(b, other, 1000), fates(c, other, 1000)
	different := 0
	for k := range first {
		if first[k] != second[k] {
			t.Fatalf("packet %d: %+v with one seed, and %+v with the same", k, first[k], second[k])
		}
		if first[k].why != third[k].why {
			different++
		}
	}
	if different == 0 {
		t.Error("another seed gives the same losses")
	}
}

// A change of one parameter leaves the other decisions alone.
func TestParametersAreIndependent(t *testing.T) {
	plain, more := newTestDirection(7), newTestDirection(7)
	plain.base = Impairment{Loss: 0.3}
	more.base = Impairment{Loss: 0.3, Delay: time.Second, Jitter: time.Second, Duplicate: 0.5, Reorder: 0.5}
	first, second := fates(plain, other, 1000), fates(more, other, 1000)
	for k := range first {
		if isLost(first[k]) != isLost(second[k]) {
			t.Fatalf("packet %d is lost in one of both", k)
		}
	}
}

func TestShares(t *testing.T) {
	const n = 20_000
	for _, share := range []float64{0, 0.01, 0.3, 1} {
		d := newTestDirection(1)
		d.base = Impairment{Loss: share, Duplicate: 0.5, Reorder: 0.2}
		all := fates(d, other, n)
		passed := float64(count(all, func(f fate) bool { return f.why == passes }))
		near := func(what string, got int, of, want float64) {
			// Five standard deviations of a binomial; with this seed it always holds or never.
			if math.Abs(float64(got)-of*want) > 5*math.Sqrt(of*want*(1-want)) {
				t.Errorf("loss %v: %s: %d of %v, want %v", share, what, got, of, want)
			}
		}
		near("lost", count(all, isLost), n, share)
		near("twice", count(all, func(f fate) bool { return f.twice }), passed, 0.5)
		near("reordered", count(all, func(f fate) bool { return f.reordered }), passed, 0.2)
	}
}

func TestDelayJitterAndOrder(t *testing.T) {
	d := newTestDirection(1)
	d.base = Impairment{Delay: 80 * time.Millisecond, Jitter: 10 * time.Millisecond}
	last := start
	for k, f := range fates(d, other, 1000) {
		late := f.at.Sub(start.Add(time.Duration(k) * time.Millisecond))
		if late < 80*time.Millisecond || late > 90*time.Millisecond || f.at.Before(last) {
			t.Fatalf("packet %d takes %v, and arrives %v after the one before", k, late, f.at.Sub(last))
		}
		last = f.at
	}
}

// A reordered packet is overtaken by those behind it, and holds none of them back.
func TestReorder(t *testing.T) {
	d := newTestDirection(3)
	d.base = Impairment{Reorder: 0.1, HoldBack: 5 * time.Millisecond}
	overtaken := 0
	for k, f := range fates(d, other, 1000) {
		sent := start.Add(time.Duration(k) * time.Millisecond)
		switch late := f.at.Sub(sent); {
		case f.reordered && late == 5*time.Millisecond:
			overtaken++
		case late != 0 || f.reordered:
			t.Fatalf("packet %d takes %v, reordered %v", k, late, f.reordered)
		}
	}
	if overtaken == 0 {
		t.Error("no packet was overtaken")
	}
}

// 200 octets at 160,000 bits a second take 10 ms; one comes each millisecond.
func TestRateAndBuffer(t *testing.T) {
	d := newTestDirection(1)
	d.base = Impairment{Rate: 160_000, Buffer: 50 * time.Millisecond}
	all := fates(d, other, 1000)
	passed := 0
	for k, f := range all {
		if f.why != passes {
			continue
		}
		passed++
		if want := start.Add(time.Duration(passed) * 10 * time.Millisecond); !f.at.Equal(want) {
			t.Fatalf("packet %d, the %d. that passes, arrives at %v, want %v", k, passed, f.at, want)
		}
	}
	// A second's worth, and what waits at its end.
	if passed < 100 || passed > 106 || count(all, func(f fate) bool { return f.why == waits }) != 1000-passed {
		t.Errorf("%d of 1000 pass", passed)
	}
	if f := d.decide(start.Add(time.Minute), other, 200); !f.at.Equal(start.Add(time.Minute + 10*time.Millisecond)) {
		t.Errorf("after a pause a packet arrives at %v", f.at)
	}
}

func TestCutAndSize(t *testing.T) {
	d := newTestDirection(1)
	d.base = Impairment{MaxPacket: 1400}
	d.classes[sip].own = &Impairment{Delay: time.Second}
	check := func(what string, class, size int, want reason) {
		t.Helper()
		if f := d.decide(start, class, size); f.why != want {
			t.Errorf("%s: %d, want %d", what, f.why, want)
		}
	}
	check("as large as allowed", other, 1400, passes)
	check("too large", other, 1401, tooLarge)
	check("a class of its own", sip, 1401, passes)
	d.classes[sip].cut = true
	check("a class that is cut", sip, 100, cut)
	check("another", other, 100, passes)
	d.classes[sip].cut, d.cut = false, true
	check("all are cut", sip, 100, cut)
	check("all are cut", other, 100, cut)
}

func TestValidate(t *testing.T) {
	for _, bad := range []Impairment{{Loss: -0.1}, {Loss: 1.1}, {Reorder: math.NaN()}, {Duplicate: 2},
		{Delay: -1}, {Jitter: -1}, {HoldBack: -1}, {Buffer: -1}, {Rate: -1}, {MaxPacket: -1}} {
		if bad.Validate() == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
	if err := (Impairment{Loss: 1, Delay: time.Second}).Validate(); err != nil {
		t.Error(err)
	}
}
