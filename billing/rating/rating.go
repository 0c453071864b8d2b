package rating

import (
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
)

// step is the least difference between two amounts charged: 0.0001.
const step = money.Unit / 10_000

// MaxStay is the longest time that is rated or promised, a year: far beyond any
// call, and far from any overflow.
const MaxStay = 365 * 24 * time.Hour

// ErrRate: a rate that cannot be charged by, such as intervals below a second.
var ErrRate = errors.New("unusable rate")

// Charge is what a stay of duration d costs: how long is billed, and the amount.
// A negative duration counts as zero. The errors are ErrRate and money.ErrRange.
func Charge(r store.Rate, d time.Duration) (billed time.Duration, amount money.Amount, err error) {
	if err := check(r); err != nil {
		return 0, 0, err
	}
	if d > MaxStay {
		return 0, 0, fmt.Errorf("%w: a stay of %v, at most %v are rated", money.ErrRange, d, MaxStay)
	}
	billed = Billed(r, d)
	amount, err = price(r.PerMinute, billed)
	return billed, amount, err
}

// Billed is d rounded up to started intervals.
func Billed(r store.Rate, d time.Duration) time.Duration {
	d = max(d.Truncate(time.Second), 0)
	if d <= r.First {
		return r.First
	}
	intervals := (d - r.First + r.Next - 1) / r.Next
	return r.First + intervals*r.Next
}

// price is perMinute × billed/60 s, rounded half up to whole steps.
func price(perMinute money.Amount, billed time.Duration) (money.Amount, error) {
	exact := new(big.Int).Mul(big.NewInt(int64(perMinute)), big.NewInt(int64(billed/time.Second)))
	unit := big.NewInt(60 * int64(step))
	exact.Add(exact, big.NewInt(30*int64(step)))
	exact.Quo(exact, unit) // not negative: a rate is not
	exact.Mul(exact, big.NewInt(int64(step)))
	if !exact.IsInt64() {
		return 0, fmt.Errorf("%w: %s per minute for %v", money.ErrRange, perMinute, billed)
	}
	return money.Amount(exact.Int64()), nil
}

// MaxDuration is the longest stay, in whole seconds and at most MaxStay, that costs
// no more than funds; ok is false if not even the first interval does.
func MaxDuration(r store.Rate, funds money.Amount) (d time.Duration, ok bool, err error) {
	if _, least, err := Charge(r, 0); err != nil || least > funds {
		return 0, false, err
	}
	// The charge never falls with the duration: search for the last second that
	// fits.
	low, high := int64(0), int64(MaxStay/time.Second)
	for low < high {
		middle := low + (high-low+1)/2
		_, amount, err := Charge(r, time.Duration(middle)*time.Second)
		if err != nil && !errors.Is(err, money.ErrRange) {
			return 0, false, err
		}
		if err == nil && amount <= funds {
			low = middle
		} else {
			high = middle - 1
		}
	}
	return time.Duration(low) * time.Second, true, nil
}

func check(r store.Rate) error {
	switch {
	case r.First < time.Second || r.First%time.Second != 0:
		return fmt.Errorf("%w: first interval %v, need whole seconds, at least 1s", ErrRate, r.First)
	case r.Next < time.Second || r.Next%time.Second != 0:
		return fmt.Errorf("%w: next interval %v, need whole seconds, at least 1s", ErrRate, r.Next)
	case r.First > MaxStay || r.Next > MaxStay:
		return fmt.Errorf("%w: intervals above %v", ErrRate, MaxStay)
	case r.PerMinute < 0:
		return fmt.Errorf("%w: price %s per minute", ErrRate, r.PerMinute)
	}
	return nil
}
