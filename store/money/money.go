package money

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// Amount is a sum of money, or a price, in millionths of a currency unit: 0.03
// is Amount(30_000). The range is ±9.2e12 units. The currency is not part of
// it: it is a property of the account.
type Amount int64

// Unit is one whole currency unit.
const Unit Amount = 1_000_000

// decimals is the number of digits after the point that an Amount can hold.
const decimals = 6

// ErrSyntax is wrapped by errors of [Parse].
var ErrSyntax = errors.New("not a decimal amount")

// ErrRange is wrapped where a sum leaves the range of an Amount.
var ErrRange = errors.New("amount out of range")

// Parse reads a plain decimal such as "100", "-0.03" or "12.345678": at most
// six digits after the point, no exponent, no currency sign, no separators.
func Parse(s string) (Amount, error) {
	whole, frac, hasPoint := strings.Cut(s, ".")
	negative := strings.HasPrefix(whole, "-")
	whole = strings.TrimPrefix(whole, "-")
	if whole == "" || (hasPoint && frac == "") {
		return 0, fmt.Errorf("%w: %q (write it like 12.34)", ErrSyntax, s)
	}
	if len(frac) > decimals {
		return 0, fmt.Errorf("%w: %q has more than %d digits after the point", ErrSyntax, s, decimals)
	}
	frac += strings.Repeat("0", decimals-len(frac))
	var v uint64
	for _, c := range whole + frac {
		if c < '0' || c > '9' {
			return 0, fmt.Errorf("%w: %q (write it like 12.34)", ErrSyntax, s)
		}
		if v > (math.MaxInt64-uint64(c-'0'))/10 {
			return 0, fmt.Errorf("%w: %q", ErrRange, s)
		}
		v = v*10 + uint64(c-'0')
	}
	if negative {
		return -Amount(v), nil
	}
	return Amount(v), nil
}

// MustParse is [Parse] for constants in code and tests; it panics on an error.
func MustParse(s string) Amount {
	a, err := Parse(s)
	if err != nil {
		panic(err)
	}
	return a
}

// String writes the amount with at least two digits after the point and no more
// than it needs: "0.03", "100.00", "0.0345".
func (a Amount) String() string {
	sign, v := "", uint64(a)
	if a < 0 {
		sign, v = "-", -uint64(a)
	}
	frac := strings.TrimRight(fmt.Sprintf("%06d", v%uint64(Unit)), "0")
	for len(frac) < 2 {
		frac += "0"
	}
	return fmt.Sprintf("%s%d.%s", sign, v/uint64(Unit), frac)
}

// Add returns a+b, or ErrRange.
func (a Amount) Add(b Amount) (Amount, error) {
	sum := a + b
	if (b > 0 && sum < a) || (b < 0 && sum > a) {
		return 0, fmt.Errorf("%w: %s + %s", ErrRange, a, b)
	}
	return sum, nil
}

// MarshalText writes the amount as [Amount.String]: in JSON an amount is a
// string, because JSON numbers are floats to most readers.
func (a Amount) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what [Parse] reads.
func (a *Amount) UnmarshalText(text []byte) error {
	v, err := Parse(string(text))
	if err != nil {
		return err
	}
	*a = v
	return nil
}
