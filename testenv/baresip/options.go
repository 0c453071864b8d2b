package baresip

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/testenv/netns"
	"github.com/conclave-voice/conclave/testenv/tone"
)

// Codec is a codec by baresip's name.
type Codec string

// The codecs of the modules that are loaded.
const (
	PCMU Codec = "PCMU/8000/1"
	PCMA Codec = "PCMA/8000/1"
	G722 Codec = "G722/16000/1"
	// Opus has two channels in SDP, always (RFC 7587 section 4.1); what is said has one.
	Opus Codec = "opus/48000/2"
)

// Options say what kind of telephone it is.
type Options struct {
	Name   string           // user part of its address, and of its log's name; default "phone"
	Local  string           // its address; default 127.0.0.1
	In     *netns.Namespace // that has the address; nil: the test's own
	TCP    bool             // SIP over TCP and not UDP
	Codecs []Codec          // offered, best first; default PCMU, PCMA

	Username, Password string // for digest challenges
	Registrar          string // HOST:PORT to register with, for Name; default none

	// Tone is the frequency in Hz of the sine that it says, at -20 dBFS; 0 is
	// silence. Speaks is said in its place, again and again: at 16,000 Hz if G722
	// is the first codec, at 48,000 Hz if it is Opus, else at 8,000 Hz.
	Tone   float64
	Speaks tone.Sound
	// TalkTime is for how long it has something to say; default 3 min.
	TalkTime time.Duration

	InfoDigits bool // keys go as SIP INFO and not as RFC 4733 events
	Answers    bool // takes every call at once
}

func (o Options) withDefaults() Options {
	if o.Name == "" {
		o.Name = "phone"
	}
	if o.Local == "" {
		o.Local = "127.0.0.1"
	}
	if len(o.Codecs) == 0 {
		o.Codecs = []Codec{PCMU, PCMA}
	}
	if o.TalkTime == 0 {
		o.TalkTime = 3 * time.Minute
	}
	return o
}

// rate is the sampling rate of what is said and recorded.
func (o Options) rate() int {
	switch o.Codecs[0] {
	case G722:
		return 16000
	case Opus:
		return 48000
	}
	return 8000
}

// voice returns all that it has to say.
func (o Options) voice(t testing.TB) tone.Sound {
	t.Helper()
	once := o.Speaks
	if len(once.Samples) == 0 {
		once = tone.Silence(o.rate(), o.TalkTime)
		if o.Tone != 0 {
			once = tone.Sine(o.rate(), o.Tone, -20, o.TalkTime)
		}
	}
	if once.Rate != o.rate() {
		t.Fatalf("%s speaks at %d Hz, but %s needs %d Hz", o.Name, once.Rate, o.Codecs[0], o.rate())
	}
	all := once
	for all.Duration() < o.TalkTime {
		all = tone.Join(all, once)
	}
	return all
}

// ports of one telephone.
type ports struct {
	sip     int // and the next one, which baresip takes for TLS
	control int
	rtp     int // the first of rtpPorts
}

const rtpPorts = 16

// configuration is baresip's file "config". Values are separated by tabs.
func (o Options) configuration(p ports, voice, recordings string) string {
	address := func(port int) string { return net.JoinHostPort(o.Local, strconv.Itoa(port)) }
	return strings.Join([]string{
		"sip_listen\t" + address(p.sip),
		"net_interface\t" + o.Local, // must be an address, or it looks for others
		"audio_source\taufile," + voice,
		// A bridge whose other end nobody takes: it gives the pace of a sound card.
		"audio_player\taubridge,nobody",
		"audio_alert\taubridge,alert",
		fmt.Sprintf("ausrc_srate\t%d", o.rate()),
		fmt.Sprintf("auplay_srate\t%d", o.rate()),
		"ausrc_channels\t1",
		"opus_stereo\tno",
		"opus_sprop_stereo\tno",
		"opus_inbandfec\tyes",
		"audio_level\tno",
		fmt.Sprintf("rtp_ports\t%d-%d", p.rtp, p.rtp+rtpPorts-1),
		"call_max_calls\t4",
		"module_path\t/usr/lib/baresip/modules",
		"module\tg711.so",
		"module\tg722.so",
		"module\topus.so",
		"module\taufile.so",
		"module\taubridge.so",
		"module\tsndfile.so",
		"snd_path\t" + recordings,
		"module_tmp\tuuid.so",
		"module_tmp\taccount.so",
		"module_app\tmenu.so",
		"module_app\tctrl_tcp.so",
		"ctrl_tcp_listen\t127.0.0.1:" + strconv.Itoa(p.control),
	}, "\n") + "\n"
}

// account is baresip's file "accounts".
func (o Options) account(p ports) string {
	host, interval := net.JoinHostPort(o.Local, strconv.Itoa(p.sip)), 0
	if o.Registrar != "" {
		host, interval = o.Registrar, 60
	}
	transport, password, username := "udp", "none", o.Name // it asks on the terminal for an empty password
	if o.TCP {
		transport = "tcp"
	}
	if o.Username != "" {
		username, password = o.Username, o.Password
	}
	codecs := make([]string, len(o.Codecs))
	for i, c := range o.Codecs {
		codecs[i] = string(c)
	}
	account := fmt.Sprintf("<sip:%s@%s;transport=%s>;auth_user=%s;auth_pass=%s;regint=%d;audio_codecs=%s",
		o.Name, host, transport, username, password, interval, strings.Join(codecs, ","))
	if o.InfoDigits {
		account += ";dtmfmode=info"
	}
	if o.Answers {
		account += ";answermode=auto"
	}
	return account + "\n"
}
