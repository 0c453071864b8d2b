package caller

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/conclave-voice/conclave/testenv/pcap"
	"github.com/conclave-voice/conclave/testenv/tone"
)

// A key is sent as so many packets of one telephone event, the last three with the end
// bit as RFC 4733 section 2.5.1.4 wants, and so many frames of pause.
const (
	keyPackets = 7
	keyEnds    = 3
	keyPause   = 3
	keyDelay   = 10 // frames after the answer before the first key
	allKeys    = "0123456789*#ABCD"
)

// level is that of the tone in dBFS: loud enough to be heard in a mix of many.
const level = -26

// mouth makes the packets that a caller sends, one for each 20 ms. It has no clock, no
// socket and no lock.
type mouth struct {
	sequence  uint16
	timestamp uint32
	ssrc      uint32
	silent    bool // sends silence instead of the tone
	tone      []byte
	at        int // in tone

	keys  string
	pause int // frames before the next key
	step  int // of the key that is being sent
	event uint8
	began uint32 // timestamp of the key that is being sent
}

func newMouth(hertz int) *mouth {
	m := &mouth{sequence: uint16(rand.Uint32()), timestamp: rand.Uint32(), ssrc: rand.Uint32(),
		event: pcap.EventType, pause: keyDelay}
	sound := tone.Silence(rate, time.Second)
	if hertz > 0 {
		sound = tone.Sine(rate, float64(hertz), level, time.Second)
	}
	for _, s := range sound.Samples {
		m.tone = append(m.tone, pcap.PCMU.Encode(s))
	}
	return m
}

// checkKeys refuses what is on no telephone.
func checkKeys(keys string) error {
	for _, k := range keys {
		if !strings.ContainsRune(allKeys, k) {
			return fmt.Errorf("%q is no telephone key: there are %s", k, allKeys)
		}
	}
	return nil
}

// next appends the next packet to b.
func (m *mouth) next(b []byte) []byte {
	m.sequence++
	m.timestamp += samples
	if m.pause > 0 {
		m.pause--
	} else if m.keys != "" {
		return m.key(b)
	}
	b = m.header(b, 0, m.timestamp)
	if m.silent {
		for range samples {
			b = append(b, 0xff)
		}
		return b
	}
	b = append(b, m.tone[m.at:m.at+samples]...)
	m.at = (m.at + samples) % len(m.tone)
	return b
}

func (m *mouth) header(b []byte, payload uint8, timestamp uint32) []byte {
	b = append(b, 0x80, payload)
	b = binary.BigEndian.AppendUint16(b, m.sequence)
	b = binary.BigEndian.AppendUint32(b, timestamp)
	return binary.BigEndian.AppendUint32(b, m.ssrc)
}

// key appends a packet of the first of keys (RFC 4733 section 2.3).
func (m *mouth) key(b []byte) []byte {
	payload, flags := m.event, byte(10) // the volume, -10 dBm0
	if m.step == 0 {
		m.began = m.timestamp
		payload |= 0x80 // the marker: a new event
	}
	steps := min(m.step+1, keyPackets-keyEnds+1) // the packets of the end are alike
	if m.step >= keyPackets-keyEnds {
		flags |= 0x80
	}
	b = m.header(b, payload, m.began)
	b = append(b, byte(strings.IndexByte(allKeys, m.keys[0])), flags)
	b = binary.BigEndian.AppendUint16(b, uint16(steps*samples))
	if m.step++; m.step == keyPackets {
		m.step, m.keys, m.pause = 0, m.keys[1:], keyPause
	}
	return b
}
