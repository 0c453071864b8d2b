package mixer

import (
	"fmt"
	"testing"
	"time"

	"github.com/conclave-voice/conclave/media/session"
)

// BenchmarkTick is the cost of one tick for rooms of several sizes: three talk,
// everybody hears, PCMU, each with a real socket that is sent to, and a packet of
// each caller read from its socket.
func BenchmarkTick(b *testing.B) {
	for _, n := range []int{3, 10, 100, 1000} {
		b.Run(fmt.Sprintf("room=%d", n), func(b *testing.B) { benchmark(b, "PCMU", n, 3, 3) })
	}
	// 1,000 callers of whom five speak at once; a town hall.
	b.Run("hall=1000", func(b *testing.B) { benchmark(b, "PCMU", 1000, 5, 5) })
	// Everybody may speak, three do.
	b.Run("open=200", func(b *testing.B) { benchmark(b, "PCMU", 200, 200, 3) })
	b.Run("wideband=100", func(b *testing.B) { benchmark(b, "G722", 100, 3, 3) })
}

// benchmark ticks a room of n with a codec in which some may speak, and some of those do.
func benchmark(b *testing.B, codec string, n, may, speak int) {
	l := newLab(b, nil)
	for i := range n {
		m := Mode{Hears: true, Speaks: i < may}
		l.join(codec, float64(300+100*(i%3)), m)
		if i >= speak {
			l.callers[i].freq, l.callers[i].noise = 0, 30
		}
	}
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		for _, c := range l.callers {
			c.speak(b)
		}
		b.StartTimer()
		l.mixer.Tick(time.Duration(i)*session.FrameTime, l.out)
		l.out.Flush()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/participant-tick")
}
