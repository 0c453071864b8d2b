package journal

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// BL6: what cannot be read is put aside as it is, and counted.
func TestUnreadableRecordsArePutAside(t *testing.T) {
	d := deadLetters{filepath.Join(t.TempDir(), "dead")}
	for i, text := range []string{"", "\xff", "{", "null", "a\nb", `{"kind":"from-the-future"}`, strings.Repeat("x", 1<<16)} {
		_, err := decode([]byte(text))
		if err == nil {
			t.Errorf("%.20q was read", text)
		}
		if err := d.add(t0, err, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if n, err := d.count(); n != i+1 || err != nil {
			t.Errorf("%d %v after %d", n, err, i+1)
		}
	}
}

// SE4: whatever is in a record, reading it does not crash, and what is read is written
// as it was.
func FuzzRecord(f *testing.F) {
	for kind := range kinds {
		f.Add(fmt.Appendf(nil, `{"kind":%q,"key":"k","at":"2026-01-02T15:04:05Z","body":{}}`, kind))
	}
	f.Add([]byte(`{"kind":"from-the-future"}`))
	f.Add([]byte("\xff"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := decode(text)
		if err == nil {
			again, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := decode(again); err != nil {
				t.Errorf("%s, then %s: %v", text, again, err)
			}
		}
	})
}
