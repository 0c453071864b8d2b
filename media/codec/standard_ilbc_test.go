package codec

import "testing"

// TestILBCInBothModes: the trial of the registry works with what calls agree on (SPEC CD1).
func TestILBCInBothModes(t *testing.T) {
	for _, mode := range []string{"mode=20", "mode=30"} {
		c := ILBC()
		c.Format = c.Format.Agree(mode)
		if s := NewRegistry(c).Status()[0]; !s.Available || s.Fmtp != mode {
			t.Errorf("%s: %+v", mode, s)
		}
	}
}
