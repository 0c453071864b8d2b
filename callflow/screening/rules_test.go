package screening

import (
	"net/netip"
	"os"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/conclave-voice/conclave/store"
)

// field turns the table's "-" into nothing.
func field(s string) string {
	if s == "-" {
		return ""
	}
	return s
}

// CA1: a telephone on this machine is this machine's, from whichever address it calls.
func TestOwnAddresses(t *testing.T) {
	rules := []store.CallRule{
		{Position: 1, Source: netip.MustParsePrefix("127.0.0.0/8"), Action: store.RuleTrust},
		{Position: 2, Action: store.RuleDigest},
	}
	for _, c := range []struct {
		source string
		own    bool
		want   store.RuleAction
	}{
		{"127.0.0.1:5060", false, store.RuleTrust},
		{"192.0.2.2:5060", true, store.RuleTrust},
		{"[fd00::2]:5060", true, store.RuleTrust},
		{"192.0.2.3:5060", false, store.RuleDigest},
	} {
		if got, _ := Decide(rules, Caller{Source: netip.MustParseAddrPort(c.source), Own: c.own}); got != c.want {
			t.Errorf("%s, own %v: %s", c.source, c.own, got)
		}
	}
	narrow := []store.CallRule{{Source: netip.MustParsePrefix("127.0.0.2/32"), Action: store.RuleTrust}}
	if got, _ := Decide(narrow, Caller{Source: netip.MustParseAddrPort("192.0.2.2:1"), Own: true}); got != store.RuleRefuse {
		t.Errorf("a rule for one address of many: %s", got)
	}
}

// CA1: rules are tried in order, the first that matches in all fields decides, and
// no match is a refusal.
func TestDecisions(t *testing.T) {
	text, err := os.ReadFile("testdata/decisions.txt")
	if err != nil {
		t.Fatal(err)
	}
	var rules []store.CallRule
	inRules, calls := false, 0
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		switch {
		case len(f) == 0 || strings.HasPrefix(f[0], "#"):
		case len(f) == 1:
			inRules = f[0] == "rules"
		case inRules:
			r := store.CallRule{Position: len(rules), Transport: field(f[1]), Called: field(f[2]), Action: store.RuleAction(f[3])}
			if f[0] != "-" {
				r.Source = netip.MustParsePrefix(f[0])
			}
			rules = append(rules, r)
		default:
			calls++
			decided(t, rules, f)
		}
	}
	if len(rules) != 6 || calls < 12 {
		t.Errorf("read %d rules and %d calls", len(rules), calls)
	}
}

func decided(t *testing.T, rules []store.CallRule, f []string) {
	action, rule := Decide(rules, Caller{Source: netip.MustParseAddrPort(f[0]), Transport: f[1], Called: field(f[2])})
	number := "0"
	if rule != nil {
		number = string(rune('1' + rule.Position))
	}
	if string(action) != f[3] || number != f[4] {
		t.Errorf("%s: %s by rule %s", strings.Join(f, " "), action, number)
	}
}

func TestNoRulesRefuseEverything(t *testing.T) {
	if a, r := Decide(nil, Caller{}); a != store.RuleRefuse || r != nil {
		t.Errorf("%s, %v", a, r)
	}
}

// The matcher agrees with regular expressions.
func TestPatternsAgreeWithRegexp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringOfN(rapid.RuneFrom([]rune("ab*?é")), 0, 8, -1).Draw(t, "pattern")
		text := rapid.StringOfN(rapid.RuneFrom([]rune("abé")), 0, 12, -1).Draw(t, "text")
		e := strings.NewReplacer(`\*`, "(?s:.*)", `\?`, "(?s:.)").Replace(regexp.QuoteMeta(pattern))
		if want := regexp.MustCompile("^" + e + "$").MatchString(text); matchPattern(pattern, text) != want {
			t.Fatalf("%q on %q: %v", pattern, text, !want)
		}
	})
}

// SE4: a pattern made to be slow is not: 2,000 stars over a long user part end at once
// or the test never does.
func TestHostilePatternEnds(t *testing.T) {
	if matchPattern(strings.Repeat("*a", 2000)+"b", strings.Repeat("a", 20000)) {
		t.Error("matched without a b")
	}
}

func FuzzMatchPattern(f *testing.F) {
	f.Add("44*", "4420")
	f.Add("?\xff*", "é\xff")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		matchPattern(pattern, text)
		if !strings.ContainsAny(text, "*?") && !matchPattern(text, text) {
			t.Errorf("%q does not match itself", text)
		}
		if !matchPattern("*", text) {
			t.Errorf("* does not match %q", text)
		}
	})
}
