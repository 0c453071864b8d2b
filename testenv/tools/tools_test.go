package tools

import (
	"fmt"
	"strings"
	"testing"
)

// verdict records what Need does instead of ending the test.
type verdict struct {
	testing.TB
	skipped, failed string
}

func (*verdict) Helper() {}

func (v *verdict) Skipf(format string, a ...any)  { v.skipped = fmt.Sprintf(format, a...) }
func (v *verdict) Fatalf(format string, a ...any) { v.failed = fmt.Sprintf(format, a...); panic(v) }

func TestMissingProgramSkipsHereAndFailsInCI(t *testing.T) {
	missing := Tool{Program: "no-such-program", Package: "some-package"}
	for _, ci := range []string{"", "true"} {
		t.Setenv("CI", ci)
		v := &verdict{TB: t}
		func() {
			defer func() { _ = recover() }()
			Need(v, missing, missing)
		}()
		got := v.skipped
		if ci != "" {
			got = v.failed
		}
		if !strings.Contains(got, "apt-get install -y --no-install-recommends some-package") {
			t.Errorf("CI=%q: skipped %q, failed %q", ci, v.skipped, v.failed)
		}
	}
	Need(t, Tool{Program: "sh", Package: "dash"})
}
