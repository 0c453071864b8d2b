package dtmf

import (
	"errors"
	"testing"
	"time"
)

func TestParseInfo(t *testing.T) { // SPEC CA4, SE4
	relay, plain := "application/dtmf-relay", "application/dtmf"
	cases := []struct {
		contentType, body string
		digit             Digit
		duration          time.Duration
		err               error
	}{
		{relay, "Signal=5\r\nDuration=160\r\n", '5', 160 * time.Millisecond, nil},
		{relay, "Signal= 5\r\nDuration= 160\r\n", '5', 160 * time.Millisecond, nil},
		{relay, "signal=#\nduration=250\n", '#', 250 * time.Millisecond, nil},
		{relay, "Duration=100\r\nSignal=*", '*', 100 * time.Millisecond, nil},
		{relay, "Signal=a\r\nDuration=0\r\n", 'A', defaultDuration, nil},
		{relay, "Signal=11\r\n", '#', defaultDuration, nil},
		{relay, "Signal=3\r\nDuration=160\r\nVolume=10\r\n\r\n", '3', 160 * time.Millisecond, nil},
		{"Application/DTMF-Relay; charset=utf-8", "Signal=0\rDuration=90", '0', 90 * time.Millisecond, nil},
		{relay + ";", "Signal=0", '0', defaultDuration, nil},
		{relay, "7", '7', defaultDuration, nil},
		{plain, "7", '7', defaultDuration, nil},
		{plain, " * \r\n", '*', defaultDuration, nil},
		{plain, "10", '*', defaultDuration, nil},
		{plain, "Signal=D\r\nDuration=100\r\n", 'D', 100 * time.Millisecond, nil},

		{"application/sdp", "v=0", 0, 0, ErrContentType},
		{"", "Signal=5", 0, 0, ErrContentType},
		{"application/dtmf-relay/x", "Signal=5", 0, 0, ErrContentType},
		{relay, "", 0, 0, ErrInfo},
		{relay, "Signal=", 0, 0, ErrInfo},
		{relay, "Signal=16\r\n", 0, 0, ErrInfo},
		{relay, "Signal=05\r\n", 0, 0, ErrInfo},
		{relay, "Signal=55\r\n", 0, 0, ErrInfo},
		{relay, "Signal=5\r\nSignal=6\r\n", 0, 0, ErrInfo},
		{relay, "Signal=5\r\nDuration=-1\r\n", 0, 0, ErrInfo},
		{relay, "Signal=5\r\nDuration=ten\r\n", 0, 0, ErrInfo},
		{relay, "Signal=5\r\nDuration=4000000000\r\n", 0, 0, ErrInfo},
		{relay, "Signal=5\r\nDuration=10\r\nDuration=20\r\n", 0, 0, ErrInfo},
		{relay, "Duration=160\r\n", 0, 0, ErrInfo},
		{relay, "Signal=5\r\nnonsense\r\n", 0, 0, ErrInfo},
		{plain, "12345", 0, 0, ErrInfo},
		{plain, "\xff\xfe", 0, 0, ErrInfo},
		{plain, string(make([]byte, 2000)), 0, 0, ErrInfo},
	}
	for _, c := range cases {
		digit, duration, err := ParseInfo(c.contentType, []byte(c.body))
		if digit != c.digit || duration != c.duration || !errors.Is(err, c.err) {
			t.Errorf("%q, %.40q: %q %v %v; want %q %v %v", c.contentType, c.body, digit, duration, err, c.digit, c.duration, c.err)
		}
	}
}

func FuzzParseInfo(f *testing.F) {
	f.Add("application/dtmf-relay", []byte("Signal=5\r\nDuration=160\r\n"))
	f.Add("application/dtmf", []byte("#"))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		digit, duration, err := ParseInfo(contentType, body)
		switch {
		case err != nil && (digit != 0 || duration != 0):
			t.Errorf("%q, %v with the error %v", digit, duration, err)
		case err == nil && (!digit.Valid() || duration <= 0 || duration > maxInfoDuration):
			t.Errorf("%q, %v without an error", digit, duration)
		case err != nil && !errors.Is(err, ErrInfo) && !errors.Is(err, ErrContentType):
			t.Errorf("error %v", err)
		}
	})
}
