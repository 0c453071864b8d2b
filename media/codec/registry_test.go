package codec

import (
	"errors"
	"strings"
	"testing"
)

func TestStandardHasAllAndFindsThem(t *testing.T) { // SPEC CD1, CD2
	r := Standard()
	for _, s := range r.Status() {
		if !s.Available || s.Reason != nil {
			t.Errorf("%s: not available: %v", s.Name, s.Reason)
		}
	}
	if names := names(r); names != "PCMU PCMA G722 iLBC G726-32 GSM DVI4 DVI4 G726-40 G726-24 G726-16 LPC" {
		t.Errorf("codecs are %q", names)
	}
	for pt, want := range map[int]string{0: "PCMU", 3: "GSM", 5: "DVI4", 6: "DVI4", 7: "LPC", 8: "PCMA", 9: "G722", 4: "", -1: ""} {
		if c, ok := r.Static(pt); ok != (want != "") || c.Name != want {
			t.Errorf("payload type %d is %q", pt, c.Name)
		}
	}
	if c, ok := r.Lookup("pcma", 8000); !ok || c.PayloadType != 8 {
		t.Error("pcma/8000 not found")
	}
	if _, ok := r.Lookup("PCMA", 16000); ok {
		t.Error("found PCMA/16000, which is another format")
	}
	asked := Format{Name: "g722", ClockRate: 8000, PayloadType: 99}
	if c, ok := r.Find(asked); !ok || c.SampleRate != 16000 {
		t.Error("G722 under a payload type of the call's own not found")
	}
}

func TestG726InBothPackings(t *testing.T) { // SPEC CD1
	r := NewRegistry(AAL2G726(40), AAL2G726(32), G726(32), AAL2G726(24), AAL2G726(16), G726(48))
	if names := names(r); names != "AAL2-G726-40 AAL2-G726-32 G726-32 AAL2-G726-24 AAL2-G726-16" {
		t.Errorf("codecs are %q", names)
	}
	if s := r.Status()[5]; s.Encode == nil || s.Decode == nil {
		t.Errorf("G.726 at 48 kbit/s: %+v", s)
	}
}

func TestBrokenCodecIsListedAndNotOffered(t *testing.T) { // SE4: an error, never a crash
	broken := func(change func(*Codec)) Codec {
		c := PCMA()
		c.Name, c.PayloadType = "BROKEN", -1
		change(&c)
		return c
	}
	cases := map[string]struct {
		codec  Codec
		reason string
	}{
		"encoder panics": {broken(func(c *Codec) {
			c.NewEncoder = func(Format) (Encoder, error) { panic("library gone") }
		}), "library gone"},
		"decoder cannot start": {broken(func(c *Codec) {
			c.NewDecoder = func(Format) (Decoder, error) { return nil, errors.New("libx.so.1 not found") }
		}), "libx.so.1"},
		"nil encoder made":  {broken(func(c *Codec) { c.NewEncoder = func(Format) (Encoder, error) { return nil, nil } }), "panicked"},
		"other payload":     {broken(func(c *Codec) { c.NewEncoder = PCMU().NewEncoder }), "payload differs"},
		"other audio":       {broken(func(c *Codec) { c.NewDecoder = PCMU().NewDecoder }), "audio differs"},
		"wrong golden data": {broken(func(c *Codec) { c.Golden.Payload = octets("zz") }), "payload differs"},
		"decodes only":      {broken(func(c *Codec) { c.NewEncoder = nil }), "cannot encode"},
		"encodes only":      {broken(func(c *Codec) { c.NewDecoder = nil }), "cannot decode"},
		"three channels":    {broken(func(c *Codec) { c.Channels = 3 }), "channels"},
		"odd clock":         {broken(func(c *Codec) { c.ClockRate = 11025 }), "clock rate"},
		"no name":           {broken(func(c *Codec) { c.Name = "" }), "no name"},
		"silent decoder": {broken(func(c *Codec) {
			c.Golden.Decoded = nil
			c.NewDecoder = func(Format) (Decoder, error) { return silent{}, nil }
		}), "level"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := NewRegistry(c.codec, PCMU())
			if names(r) != "PCMU" {
				t.Errorf("offers %q", names(r))
			}
			s := r.Status()
			if len(s) != 2 || s[0].Available || s[0].Reason == nil || !strings.Contains(s[0].Reason.Error(), c.reason) {
				t.Errorf("status is %+v, want a reason with %q", s[0], c.reason)
			}
		})
	}
}

// CD1: a codec whose library is missing is listed with what to install.
func TestMissingLibraryIsListed(t *testing.T) {
	c := PCMA()
	c.Missing, c.NewEncoder, c.NewDecoder = errors.New("install libx1"), nil, nil
	s := NewRegistry(c).Status()[0]
	if s.Available || s.Reason != c.Missing || s.Encode == nil || s.Decode == nil {
		t.Errorf("%+v", s)
	}
}

func TestFirstWorkingBackendWins(t *testing.T) {
	absent, spare := PCMU(), PCMU()
	absent.Backend, spare.Backend = "native", "spare"
	absent.NewEncoder = func(Format) (Encoder, error) { return nil, errors.New("not installed") }
	r := NewRegistry(absent, PCMU(), spare)
	c, ok := r.Lookup("PCMU", 8000)
	if !ok || c.Backend != "go" || len(r.Codecs()) != 1 {
		t.Errorf("backend %q of %d codecs", c.Backend, len(r.Codecs()))
	}
	if s := r.Status(); s[0].Decode != nil || s[0].Encode == nil || !errors.Is(s[2].Reason, errShadowed) {
		t.Errorf("status %+v", s)
	}
}

type silent struct{}

func (silent) Decode(pcm []int16, payload []byte) (int, error) {
	return copy(pcm, make([]int16, len(payload))), nil
}

func names(r *Registry) string {
	var list []string
	for _, f := range r.Formats() {
		list = append(list, f.Name)
	}
	return strings.Join(list, " ")
}
