package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/conclave-voice/conclave/testenv/load/judge"
)

// line is what is told of a step.
type line struct {
	Callers       int           `json:"callers"`
	Good          bool          `json:"good"`
	LateP50       float64       `json:"lateP50Ms"`
	LateP99       float64       `json:"lateP99Ms"`
	LateP999      float64       `json:"lateP999Ms"`
	LateMax       float64       `json:"lateMaxMs"`
	LostPerMille  float64       `json:"lostPerMille"`
	BadPercent    float64       `json:"badPercent"` // lost, or more than a frame late
	LateTicks     uint64        `json:"lateTicks"`
	SkippedTicks  uint64        `json:"skippedTicks"`
	CPUShare      float64       `json:"cpuShare"`
	CPUPerSecond  float64       `json:"cpuMicrosecondsPerParticipantSecond"`
	BarePerSecond float64       `json:"systemCallsMicrosecondsPerParticipantSecond"` // what they cost alone, in the same run
	Memory        float64       `json:"residentKilobytesPerParticipant"`             // beyond what the node had without callers
	Heard         judge.Verdict `json:"heard"`
	SenderP999    float64       `json:"toolLateP999Ms"`
	Failed        int           `json:"callsFailed"`
	Problems      []string      `json:"problems,omitempty"`
}

const ticksPerSecond = 50

func (o *options) line(m measured) line {
	w, calls, cpu, n := m.report.Window, m.report.Calls, m.after.CPU-m.before.CPU, float64(m.callers)
	l := line{Callers: m.callers, LateP50: ms(w.Late.Quantile(0.5)), LateP99: ms(w.Late.Quantile(0.99)), LateP999: ms(w.Late.Quantile(0.999)), LateMax: ms(w.Late.Max()),
		LostPerMille: 1000 * float64(w.Lost) / float64(max(1, w.Expected)), BadPercent: 100 * w.Bad(),
		LateTicks: m.after.LateTicks - m.before.LateTicks, SkippedTicks: m.after.SkippedTicks - m.before.SkippedTicks,
		CPUShare: cpu.Seconds() / o.duration.Seconds(), CPUPerSecond: float64(cpu.Microseconds()) / o.duration.Seconds() / n,
		BarePerSecond: ticksPerSecond * float64(m.bare) / float64(time.Microsecond),
		Memory:        float64(m.after.Memory-m.idle.Memory) / 1000 / n, Heard: m.report.Heard, SenderP999: ms(w.SenderLate.Quantile(0.999)),
		Failed: calls.Failed, Problems: calls.Problems}
	l.Good = calls.Failed == 0 && len(l.Heard.Faulty) == 0 && calls.Answered == m.callers && w.Received > 0 && l.BadPercent < o.bad &&
		(o.limit == 0 || l.LateP999 <= ms(o.limit))
	return l
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func (o *options) head(out io.Writer) {
	if o.json {
		return
	}
	fmt.Fprintf(out, "%v; %v a step; lateness in ms; µs of a second for each participant, and how many times the bare system calls\n", &o.shape, o.duration)
	fmt.Fprintf(out, "%8s %6s %6s %7s %6s %7s %6s %5s %7s %6s %7s %8s %6s\n", "callers", "p50", "p99", "p99.9", "max", "bad", "ticks", "CPU", "µs/p·s", "×sys", "kB/p", "wrong", "tool")
}

func (o *options) print(out io.Writer, l line) {
	if o.json {
		_ = json.NewEncoder(out).Encode(l) // nobody reads
		return
	}
	verdict := ""
	if !l.Good {
		verdict = "  too many"
	}
	fmt.Fprintf(out, "%8d %6.1f %6.1f %7.1f %6.1f %6.2f%% %6d %4.0f%% %7.0f %6.2f %7.0f %4d/%-4d %5.1f%s\n", l.Callers, l.LateP50, l.LateP99, l.LateP999, l.LateMax,
		l.BadPercent, l.LateTicks+l.SkippedTicks, 100*l.CPUShare, l.CPUPerSecond, l.CPUPerSecond/l.BarePerSecond, l.Memory,
		len(l.Heard.Faulty), l.Heard.Listeners, l.SenderP999, verdict)
	for _, p := range l.Problems {
		fmt.Fprintln(out, "        ", p)
	}
	printFaults(out, l.Heard)
}

// worst is how many faulty listeners are told of.
const worst = 5

func printFaults(out io.Writer, v judge.Verdict) {
	for _, f := range v.Faulty[:min(worst, len(v.Faulty))] {
		fmt.Fprintln(out, "        ", f)
	}
}
