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
		b.Run(fmt.Sprintf("room=%d", n), func(b *testing.B) {
			l := newLab(b, nil)
			for i := range n {
				m := Mode{Hears: true}
				if i < 3 {
					m.Speaks = true
				}
				l.join("PCMU", float64(300+100*(i%3)), m)
			}
			for i := 0; b.Loop(); i++ {
				b.StopTimer()
				for _, c := range l.callers {
					c.speak(b)
				}
				b.StartTimer()
				l.mixer.Tick(time.Duration(i) * session.FrameTime)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/participant-tick")
		})
	}
}
