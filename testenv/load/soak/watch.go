package soak

import (
	"context"
	"time"

	"github.com/conclave-voice/conclave/testenv/load"
)

// sample is the node at one moment.
type sample struct {
	at time.Duration // since the beginning
	load.Figures
}

// Line is what is told of a stretch of time, mostly a minute.
type Line struct {
	Seconds      float64 `json:"seconds"` // since the beginning, at its end
	Callers      float64 `json:"callers"` // in conferences, on average
	LateP50      float64 `json:"lateP50Ms"`
	LateP99      float64 `json:"lateP99Ms"`
	LateP999     float64 `json:"lateP999Ms"`
	LateMax      float64 `json:"lateMaxMs"`
	BadPercent   float64 `json:"badPercent"` // lost, or more than a frame late
	LateTicks    uint64  `json:"lateTicks"`
	SkippedTicks uint64  `json:"skippedTicks"`
	CPUShare     float64 `json:"cpuShare"`
	CPUPerCaller float64 `json:"cpuMicrosecondsPerParticipantSecond"`
	Memory       float64 `json:"residentMegabytes"`
	Heap         float64 `json:"heapMegabytes"`
	Goroutines   int     `json:"goroutines"`
	Descriptors  int     `json:"descriptors"`
	Ports        int     `json:"portPairs"`
	Calls        int     `json:"callsBegun"` // so far
	Failed       int     `json:"callsFailed"`
	ToolP999     float64 `json:"toolLateP999Ms"`
}

// watch looks at the node while callers come and go.
type watch struct {
	config  Config
	crowd   *load.Crowd
	began   time.Time
	samples []sample
	told    int // the sample with which the last line ended
	total   load.Window
}

// run looks until ctx is done, and tells a line now and then. The last one is as long as
// what is left.
func (w *watch) run(ctx context.Context) error {
	// The node is asked to the end, when ctx is done.
	asking := context.WithoutCancel(ctx)
	looks, lines := time.NewTicker(w.config.Sample), time.NewTicker(w.config.Every)
	defer looks.Stop()
	defer lines.Stop()
	for {
		if err := w.look(asking); err != nil {
			return err
		}
		select {
		case <-looks.C:
			continue
		case <-lines.C:
			if err := w.look(asking); err != nil {
				return err
			}
			w.line()
		case <-ctx.Done():
			err := w.look(asking)
			w.line()
			return err
		}
	}
}

func (w *watch) look(ctx context.Context) error {
	f, err := w.config.Target.Figures(ctx)
	if err == nil {
		w.samples = append(w.samples, sample{time.Since(w.began), f})
	}
	return err
}

// line tells what was measured since the last one.
func (w *watch) line() {
	window := w.crowd.Cut()
	w.total.Add(window)
	list := w.samples[w.told:]
	w.told = len(w.samples) - 1
	first, last, calls := list[0], list[len(list)-1], w.crowd.Calls()
	if last.at-first.at < w.config.Sample/2 {
		return // the end, just after a line
	}
	w.config.Line(Line{
		Seconds: last.at.Seconds(), Callers: participants(list),
		LateP50: ms(window.Late.Quantile(0.5)), LateP99: ms(window.Late.Quantile(0.99)), LateP999: ms(window.Late.Quantile(0.999)), LateMax: ms(window.Late.Max()),
		BadPercent: 100 * window.Bad(), LateTicks: last.LateTicks - first.LateTicks, SkippedTicks: last.SkippedTicks - first.SkippedTicks,
		CPUShare: (last.CPU - first.CPU).Seconds() / (last.at - first.at).Seconds(), CPUPerCaller: perParticipant(list),
		Memory: float64(last.Memory) / 1e6, Heap: float64(last.Heap) / 1e6, Goroutines: last.Goroutines, Descriptors: last.Descriptors, Ports: last.Ports,
		Calls: calls.Begun, Failed: calls.Failed, ToolP999: ms(window.SenderLate.Quantile(0.999)),
	})
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// participants is how many there were on average.
func participants(list []sample) float64 {
	total := 0
	for _, s := range list {
		total += s.Participants
	}
	return float64(total) / float64(max(1, len(list)))
}

// perParticipant is how many µs of a second each participant took of a processor.
func perParticipant(list []sample) float64 {
	if len(list) < 2 {
		return 0
	}
	first, last := list[0], list[len(list)-1]
	return float64((last.CPU - first.CPU).Microseconds()) / (last.at - first.at).Seconds() / max(1, participants(list))
}
