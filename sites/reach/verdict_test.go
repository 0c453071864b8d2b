package reach

import "testing"

func TestModesAreReadAsWritten(t *testing.T) {
	for _, m := range []Mode{Auto, ForceUp, ForceDown} {
		if got, err := ParseMode(m.String()); err != nil || got != m {
			t.Errorf("%s is read as %s, %v", m, got, err)
		}
	}
	if _, err := ParseMode("perhaps"); err == nil {
		t.Error("an unknown mode was taken")
	}
}

func TestCallsGoWhereTheVerdictAllows(t *testing.T) {
	for v, want := range map[Verdict]bool{Unknown: false, Up: true, Suspect: true, Down: false, Returning: false} {
		if v.Usable() != want {
			t.Errorf("%s usable: %t", v, v.Usable())
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Errorf("the default: %v", err)
	}
	for name, spoil := range map[string]func(*Config){
		"failures": func(c *Config) { c.Failures = c.Doubts },
		"doubts":   func(c *Config) { c.Doubts = 0 },
		"timeout":  func(c *Config) { c.Timeout = 0 },
		"hold":     func(c *Config) { c.MaxHold = c.Hold - 1 },
		"forget":   func(c *Config) { c.ForgetAfter = 0 },
	} {
		c := DefaultConfig()
		spoil(&c)
		if c.Validate() == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
