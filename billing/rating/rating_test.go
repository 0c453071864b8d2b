package rating

import (
	"bufio"
	"errors"
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/conclave-voice/conclave/store"
	"github.com/conclave-voice/conclave/store/money"
)

// BL2: the charges that were worked out by hand.
func TestHandComputedCharges(t *testing.T) {
	f, err := os.Open("testdata/charges.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		if strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
			continue
		}
		n++
		var perMinute, duration, amount string
		var first, next, billed int
		if _, err := fmt.Sscanf(line, "%s %d/%d %s %d %s", &perMinute, &first, &next, &duration, &billed, &amount); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		d, err := time.ParseDuration(duration)
		if err != nil {
			t.Fatal(err)
		}
		gotBilled, gotAmount, err := Charge(rate(perMinute, first, next), d)
		if err != nil || gotBilled != time.Duration(billed)*time.Second || gotAmount != money.MustParse(amount) {
			t.Errorf("%s: billed %v, %s, %v", line, gotBilled, gotAmount, err)
		}
	}
	if n < 10 {
		t.Errorf("only %d cases read", n)
	}
}

func rate(perMinute string, first, next int) store.Rate {
	return store.Rate{PerMinute: money.MustParse(perMinute),
		First: time.Duration(first) * time.Second, Next: time.Duration(next) * time.Second}
}

// slow charges second by second, as one would explain it, with fractions.
func slow(r store.Rate, d time.Duration) money.Amount {
	seconds := int64(d / time.Second)
	billed := int64(r.First / time.Second)
	for billed < seconds {
		billed += int64(r.Next / time.Second)
	}
	exact := new(big.Rat).Mul(big.NewRat(int64(r.PerMinute), 60), big.NewRat(billed, int64(step)))
	text := exact.FloatString(0) // rounds half away from zero
	steps, _ := new(big.Int).SetString(text, 10)
	return money.Amount(steps.Int64()) * step
}

func drawRate(t *rapid.T) store.Rate {
	return store.Rate{
		PerMinute: money.Amount(rapid.Int64Range(0, 20*int64(money.Unit)).Draw(t, "perMinute")),
		First:     time.Duration(rapid.IntRange(1, 120).Draw(t, "first")) * time.Second,
		Next:      time.Duration(rapid.IntRange(1, 120).Draw(t, "next")) * time.Second,
	}
}

func TestChargeAgreesWithTheSlowModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRate(t)
		d := time.Duration(rapid.Int64Range(0, int64(5*time.Hour)).Draw(t, "d"))
		_, got, err := Charge(r, d)
		if want := slow(r, d); err != nil || got != want {
			t.Fatalf("%+v for %v: %s, %v; want %s", r, d, got, err, want)
		}
	})
}

// BL4: what is promised is exactly what can be paid.
func TestMaxDurationIsTheLastSecondThatFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRate(t)
		funds := money.Amount(rapid.Int64Range(0, 500*int64(money.Unit)).Draw(t, "funds"))
		d, ok, err := MaxDuration(r, funds)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			if _, least, _ := Charge(r, 0); least <= funds {
				t.Fatalf("%s pays the first interval (%s), and it was refused", funds, least)
			}
			return
		}
		if _, cost, err := Charge(r, d); err != nil || cost > funds {
			t.Fatalf("%v cost %s, more than %s", d, cost, funds)
		}
		if d == MaxStay {
			return
		}
		if _, more, err := Charge(r, d+time.Second); err == nil && more <= funds {
			t.Fatalf("a second more than %v costs %s and fits %s", d, more, funds)
		}
	})
}

func TestUnusableRates(t *testing.T) {
	for _, r := range []store.Rate{{First: time.Second}, {Next: time.Second}, rate("-1", 60, 60),
		{First: 1500 * time.Millisecond, Next: time.Second}} {
		if _, _, err := Charge(r, time.Minute); !errors.Is(err, ErrRate) {
			t.Errorf("%+v: %v", r, err)
		}
	}
	if _, _, err := Charge(rate("9000000000000", 60, 60), MaxStay); !errors.Is(err, money.ErrRange) {
		t.Errorf("overflow: %v", err)
	}
}

func BenchmarkCharge(b *testing.B) {
	r := rate("0.0345", 30, 6)
	for b.Loop() {
		if _, _, err := Charge(r, 17*time.Minute); err != nil {
			b.Fatal(err)
		}
	}
}
