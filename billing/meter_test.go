package billing

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/conclave-voice/conclave/billing/rating"
	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
)

var (
	began    = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	byMinute = store.Rate{PerMinute: 30_000, First: time.Minute, Next: time.Minute}
)

// till drives a meter from one instant to another, answering what it asks for, and
// returns what it told to do, with the time.
func till(m *Meter, from, to time.Duration, answer func(a Action, now time.Time)) (told []Action, at []time.Duration) {
	for now := from; now <= to; now += time.Second {
		for {
			a := m.Next(began.Add(now))
			if a.Kind == Nothing {
				break
			}
			if a.Kind == Extend {
				answer(a, began.Add(now))
				continue
			}
			told, at = append(told, a), append(at, now)
		}
	}
	return told, at
}

// BL4: a share is renewed a margin before it runs out.
func TestMeterRenews(t *testing.T) {
	m := NewMeter(DefaultPolicy(), byMinute, began, 150_000)
	asked := 0
	told, _ := till(m, 0, time.Hour, func(a Action, now time.Time) {
		asked++
		if left := m.Covered() - now.Sub(began); left != 90*time.Second {
			t.Errorf("asked with %v left", left)
		}
		m.Extended(a.Total)
	})
	if len(told) != 0 || asked != 12 {
		t.Errorf("told %v, asked %d times", told, asked)
	}
}

// BL4: when the money is used up the participant is warned a minute and ten seconds
// before the end, and released at the end.
func TestMeterWarnsAndEnds(t *testing.T) {
	m := NewMeter(DefaultPolicy(), byMinute, began, 150_000)
	told, at := till(m, 0, time.Hour, func(_ Action, now time.Time) { m.Refused(now) })
	want := []time.Duration{4 * time.Minute, 4*time.Minute + 50*time.Second, 5 * time.Minute}
	if len(told) != 3 || told[0].Kind != Warn || told[1].Kind != Warn || told[2].Kind != End {
		t.Fatalf("told %+v", told)
	}
	for i := range want {
		if at[i] != want[i] {
			t.Errorf("%+v at %v, want %v", told[i], at[i], want[i])
		}
	}
	if !m.Deadline().IsZero() {
		t.Error("a deadline after the end")
	}
}

// A store that fails does not end a call before the offline allowance; and when it
// is back after the share ran out, the call goes on.
func TestMeterOutlivesAnOutage(t *testing.T) {
	p := DefaultPolicy()
	m := NewMeter(p, byMinute, began, 150_000)
	outage := 12 * time.Minute // the share lasts 5, the allowance 10 more
	told, at := till(m, 0, 30*time.Minute, func(a Action, now time.Time) {
		if now.Sub(began) < outage {
			m.Failed(now)
		} else {
			m.Extended(a.Total)
		}
	})
	if len(told) != 0 {
		t.Errorf("told %+v at %v", told, at)
	}
}

// An outage that lasts ends the call at the end of the allowance, with the warnings.
func TestMeterEndsWithTheOfflineAllowance(t *testing.T) {
	m := NewMeter(DefaultPolicy(), byMinute, began, 150_000)
	told, at := till(m, 0, time.Hour, func(_ Action, now time.Time) { m.Failed(now) })
	if len(told) != 3 || told[2].Kind != End || at[2] != 15*time.Minute || at[0] != 14*time.Minute {
		t.Errorf("told %+v at %v", told, at)
	}
}

// A store that has said that the money is used up gives no allowance by failing.
func TestMeterGivesNoCreditAfterARefusal(t *testing.T) {
	m := NewMeter(DefaultPolicy(), byMinute, began, 150_000)
	told, at := till(m, 0, time.Hour, func(_ Action, now time.Time) {
		if now.Sub(began) < 4*time.Minute {
			m.Refused(now)
		} else {
			m.Failed(now)
		}
	})
	if len(told) != 3 || told[2].Kind != End || at[2] != 5*time.Minute {
		t.Errorf("told %+v at %v", told, at)
	}
}

// MS10: a stay that another node takes over late, and of which it does not know what was
// reserved last, is not ended for that, but asked for. It ends if there is no money, and
// with the allowance if nobody can be asked.
func TestMeterOfATakenStay(t *testing.T) {
	const since = 11 * time.Minute // with 5 covered
	for _, c := range []struct {
		name   string
		answer func(m *Meter, a Action, now time.Time)
		end    time.Duration // 0: it goes on
	}{
		{"more", func(m *Meter, a Action, _ time.Time) { m.Extended(a.Total) }, 0},
		{"no money", func(m *Meter, _ Action, now time.Time) { m.Refused(now) }, since},
		{"nobody answers", func(m *Meter, _ Action, now time.Time) { m.Failed(now) }, since + DefaultPolicy().Offline},
	} {
		m := NewMeter(DefaultPolicy(), byMinute, began, 150_000)
		m.Resumed(began.Add(since))
		var told []Action
		var at []time.Duration
		for now := began.Add(since); !now.IsZero() && now.Before(began.Add(time.Hour)); {
			switch a := m.Next(now); a.Kind {
			case Extend:
				c.answer(m, a, now)
			case Nothing:
				next := m.Deadline()
				if !next.IsZero() && !next.After(now) {
					t.Fatalf("%s: nothing to do, and a deadline of %v at %v", c.name, next.Sub(began), now.Sub(began))
				}
				now = next
			default:
				told, at = append(told, a), append(at, now.Sub(began))
			}
		}
		switch n := len(told); {
		case c.end == 0 && n != 0, c.end != 0 && (n == 0 || told[n-1].Kind != End || at[n-1] != c.end):
			t.Errorf("%s: told %+v at %v", c.name, told, at)
		}
	}
}

// What money there is after an outage is used, though a whole share is not there.
func TestMeterTakesWhatIsLeftAfterAnOutage(t *testing.T) {
	m := NewMeter(DefaultPolicy(), byMinute, began, 150_000)
	const funds = 270_000 // nine minutes
	told, at := till(m, 0, time.Hour, func(a Action, now time.Time) {
		switch {
		case now.Sub(began) < 7*time.Minute:
			m.Failed(now)
		case a.Total > funds:
			m.Refused(now)
		default:
			m.Extended(a.Total)
		}
	})
	if n := len(told); n == 0 || told[n-1].Kind != End || at[n-1] != 9*time.Minute {
		t.Errorf("told %+v at %v", told, at)
	}
}

// A top-up in the last seconds saves the call, and a warning is not said twice for
// one and the same minute.
func TestMeterTopUpAndWarnings(t *testing.T) {
	second := store.Rate{PerMinute: 60_000, First: time.Second, Next: time.Second}
	m := NewMeter(DefaultPolicy(), second, began, 300_000)
	funds := money.Amount(300_000)
	told, at := till(m, 0, time.Hour, func(a Action, now time.Time) {
		switch passed := now.Sub(began); {
		case passed >= 4*time.Minute+30*time.Second:
			funds = 600_000
		case passed >= 4*time.Minute+5*time.Second:
			funds = 302_000 // two seconds that another stay gave back
		}
		if a.Total <= funds {
			m.Extended(a.Total)
		} else {
			m.Refused(now)
		}
	})
	var kinds []ActionKind
	for _, a := range told {
		kinds = append(kinds, a.Kind)
	}
	if len(told) != 4 || at[0] != 4*time.Minute || at[1] != 9*time.Minute || at[3] != 10*time.Minute || kinds[3] != End {
		t.Errorf("told %+v at %v", told, at)
	}
}

// Whatever the account and the store do, a stay that ends when it is told costs no
// more than is reserved, but for the offline allowance.
func TestMeterNeverOverspends(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := store.Rate{PerMinute: money.Amount(rapid.Int64Range(0, 5_000_000).Draw(t, "price")),
			First: time.Duration(rapid.IntRange(1, 90).Draw(t, "first")) * time.Second,
			Next:  time.Duration(rapid.IntRange(1, 90).Draw(t, "next")) * time.Second}
		p := DefaultPolicy()
		p.Share = time.Duration(rapid.IntRange(1, 600).Draw(t, "share")) * time.Second
		p.Offline = time.Duration(rapid.IntRange(0, 300).Draw(t, "offline")) * time.Second
		_, reserved, _ := rating.Charge(r, p.Share)
		funds := reserved + money.Amount(rapid.Int64Range(0, 50_000_000).Draw(t, "funds"))
		m := NewMeter(p, r, began, reserved)
		failed := false
		now := began
		for range 500 {
			a := m.Next(now)
			switch a.Kind {
			case Nothing:
				next := m.Deadline()
				if next.IsZero() {
					t.Fatal("no deadline while it runs")
				}
				if !next.After(now) {
					t.Fatalf("deadline %v at %v, and nothing to do", next.Sub(began), now.Sub(began))
				}
				now = next
			case Warn:
				if a.Left <= 0 || a.Left > p.Warnings[0] {
					t.Fatalf("a warning of %v", a.Left)
				}
			case Extend:
				if a.Total <= reserved {
					t.Fatalf("asked for %s with %s reserved", a.Total, reserved)
				}
				switch {
				case rapid.IntRange(0, 4).Draw(t, "store") == 0:
					m.Failed(now)
					failed = true
				case a.Total <= funds:
					m.Extended(a.Total)
					reserved, failed = a.Total, false
				default:
					m.Refused(now)
				}
			case End:
				_, cost, err := rating.Charge(r, now.Sub(began)-allowance(p, failed))
				if err != nil || cost > reserved {
					t.Fatalf("ended after %v at a cost of %s with %s reserved, %v", now.Sub(began), cost, reserved, err)
				}
				return
			}
		}
	})
}

func allowance(p Policy, failed bool) time.Duration {
	if failed {
		return p.Offline
	}
	return 0
}

// Who calls Next only at Deadline misses nothing: the same is told at the same time
// as to who calls it every second.
func TestDeadlineIsNeverLate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		funds := money.Amount(rapid.Int64Range(0, 1_000_000).Draw(t, "funds"))
		from := time.Duration(rapid.IntRange(0, 1500).Draw(t, "outage from")) * time.Second
		to := from + time.Duration(rapid.IntRange(0, 1500).Draw(t, "outage for"))*time.Second
		p := DefaultPolicy()
		p.Offline = time.Duration(rapid.IntRange(0, 900).Draw(t, "offline")) * time.Second
		r := store.Rate{PerMinute: 30_000, First: time.Minute, Next: time.Duration(rapid.IntRange(1, 60).Draw(t, "next")) * time.Second}
		run := func(step func(m *Meter, now time.Time) time.Time) (told []string) {
			m := NewMeter(p, r, began, 150_000)
			for now := began; now.Before(began.Add(2*time.Hour)) && !m.ended; now = step(m, now) {
				for a := m.Next(now); a.Kind != Nothing; a = m.Next(now) {
					switch passed := now.Sub(began); {
					case a.Kind != Extend:
						told = append(told, fmt.Sprint(passed, a))
					case passed >= from && passed < to:
						m.Failed(now)
					case a.Total <= funds:
						m.Extended(a.Total)
					default:
						m.Refused(now)
					}
				}
			}
			return told
		}
		often := run(func(_ *Meter, now time.Time) time.Time { return now.Add(time.Second) })
		seldom := run(func(m *Meter, now time.Time) time.Time {
			if m.ended {
				return now
			}
			return m.Deadline()
		})
		if !slices.Equal(often, seldom) {
			t.Fatalf("every second: %v\nat the deadlines: %v", often, seldom)
		}
	})
}

func TestPolicyErrors(t *testing.T) {
	if err := DefaultPolicy().Validate(); err != nil {
		t.Error(err)
	}
	for _, change := range []func(*Policy){
		func(p *Policy) { p.Share = 0 },
		func(p *Policy) { p.Margin = time.Minute },
		func(p *Policy) { p.Warnings = []time.Duration{time.Second, time.Minute} },
		func(p *Policy) { p.Warnings = []time.Duration{time.Minute, 0} },
		func(p *Policy) { p.Retry = 0 },
		func(p *Policy) { p.RetryMost = time.Second },
		func(p *Policy) { p.Offline = -1 },
	} {
		p := DefaultPolicy()
		change(&p)
		if err := p.Validate(); !errors.Is(err, ErrPolicy) {
			t.Errorf("%+v: %v", p, err)
		}
	}
}
