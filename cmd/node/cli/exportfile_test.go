package cli

import (
	"os"
	"path/filepath"
	"testing"
)

// BL8: an export that broke off goes on behind its last whole record, wherever it broke.
func TestTornExportIsCutToWholeRecords(t *testing.T) {
	for format, c := range map[string]struct {
		head, one, two string
	}{
		"csv":   {"id,room_name,amount\n", "a,\"Sales, \"\"north\"\"\nteam\",0.90\n", "b,plain,0.75\n"},
		"jsonl": {"", "{\"id\":\"a\",\"amount\":\"0.90\"}\n", "{\"id\":\"b\",\"amount\":\"0.75\"}\n"},
	} {
		whole := c.head + c.one + c.two
		for end := range len(whole) + 1 {
			name := filepath.Join(t.TempDir(), "export")
			if err := os.WriteFile(name, []byte(whole[:end]), 0o600); err != nil {
				t.Fatal(err)
			}
			f, err := os.OpenFile(name, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			last, err := cutTorn(f, format)
			f.Close()
			kept, readErr := os.ReadFile(name)
			wantLast, want := "", ""
			switch {
			case end == len(whole):
				wantLast, want = "b", whole
			case end >= len(c.head+c.one):
				wantLast, want = "a", c.head+c.one
			}
			if err != nil || readErr != nil || last != wantLast || string(kept) != want {
				t.Errorf("%s cut after %d bytes: last %q, kept %q, %v", format, end, last, kept, err)
			}
		}
	}
}

func TestOtherFilesAreNotCut(t *testing.T) {
	for format, text := range map[string]string{"csv": "name,phone\nbob,1\n", "jsonl": "dear diary\n"} {
		name := filepath.Join(t.TempDir(), "other")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := cutTorn(f, format); err == nil {
			t.Errorf("%s: it was taken for an export", format)
		}
		f.Close()
		if kept, _ := os.ReadFile(name); string(kept) != text {
			t.Errorf("%s: changed to %q", format, kept)
		}
	}
}

func TestTextFromCallersDoesNothingToATerminal(t *testing.T) {
	if got := plain("bob\x1b[2J\r\n\u009b31m"); got != "bob?[2J???31m" {
		t.Errorf("%q", got)
	}
}
