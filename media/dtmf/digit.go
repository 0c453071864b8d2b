package dtmf

// Digit is a key: '0' to '9', '*', '#', 'A' to 'D'. The zero Digit is none.
type Digit byte

// keys are the digits in the order of their event codes (RFC 4733 section 3.2).
const keys = "0123456789*#ABCD"

// Valid says whether d is one of the sixteen keys.
func (d Digit) Valid() bool { return d.code() >= 0 }

// String gives the key, or nothing for the zero Digit.
func (d Digit) String() string {
	if d == 0 {
		return ""
	}
	return string(rune(d))
}

// code is the event code, or -1.
func (d Digit) code() int {
	for i := range len(keys) {
		if keys[i] == byte(d) {
			return i
		}
	}
	return -1
}
