package money

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestParseAndString(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Amount
		out  string
	}{
		{"0", 0, "0.00"},
		{"0.03", 30_000, "0.03"},
		{"100", 100 * Unit, "100.00"},
		{"-0.5", -500_000, "-0.50"},
		{"12.345678", 12_345_678, "12.345678"},
		{"9223372036854.775807", math.MaxInt64, "9223372036854.775807"},
	} {
		got, err := Parse(c.in)
		if err != nil || got != c.want || got.String() != c.out {
			t.Errorf("Parse(%q) = %d, %v, %q; want %d, %q", c.in, got, err, got, c.want, c.out)
		}
	}
	for _, bad := range []string{"", ".", "1.", ".5", "1e3", "1,5", "--1", "+1", "0.0000001", "€1"} {
		if _, err := Parse(bad); !errors.Is(err, ErrSyntax) {
			t.Errorf("Parse(%q): %v, want ErrSyntax", bad, err)
		}
	}
	if _, err := Parse("9223372036854.775808"); !errors.Is(err, ErrRange) {
		t.Errorf("one past the range: %v", err)
	}
}

func TestStringParsesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Amount(rapid.Int64Min(math.MinInt64+1).Draw(t, "a"))
		if b, err := Parse(a.String()); err != nil || b != a {
			t.Fatalf("%d -> %s -> %d, %v", a, a, b, err)
		}
	})
}

func TestAddRefusesOverflow(t *testing.T) {
	if _, err := Amount(math.MaxInt64).Add(1); !errors.Is(err, ErrRange) {
		t.Error("overflow not seen")
	}
	if _, err := Amount(math.MinInt64).Add(-1); !errors.Is(err, ErrRange) {
		t.Error("underflow not seen")
	}
	if s, err := Amount(5).Add(-7); err != nil || s != -2 {
		t.Error(s, err)
	}
}
