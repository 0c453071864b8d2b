package mixer

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

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
		l.mixer.Tick(time.Duration(i)*session.FrameTime, l.by)
		l.by.Flush()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/participant-tick")
}

// BenchmarkRooms is a node's tick with 75 rooms of four who all speak: what each of them has
// is no longer in the processor's cache when its turn comes. The figure to look at is
// cpu-ns/participant-tick, the processor time of the thread: it does not count what others
// do on the machine.
func BenchmarkRooms(b *testing.B) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const rooms, size = 75, 4
	var labs []*lab
	for range rooms {
		l := newLab(b, newTone(2000, time.Second))
		for i := range size {
			l.join("PCMU", float64(300+100*i), talk)
		}
		labs = append(labs, l)
	}
	by := labs[0].by
	var spent time.Duration
	for i := 0; b.Loop(); i++ {
		for _, l := range labs {
			for _, c := range l.callers {
				c.speak(b)
			}
		}
		begun := threadTime()
		for _, l := range labs {
			l.mixer.Tick(time.Duration(i)*session.FrameTime, by)
		}
		by.Flush()
		spent += threadTime() - begun
		for _, l := range labs {
			for _, c := range l.callers {
				c.drop(b)
			}
		}
	}
	b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N)/(rooms*size), "cpu-ns/participant-tick")
}

// threadTime is the processor time of this thread.
func threadTime() time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t)
	return time.Duration(t.Nano())
}

// drop takes the one packet that each tick sends.
func (c *caller) drop(b *testing.B) {
	var buf [2000]byte
	if _, err := c.socket.Read(buf[:]); err != nil {
		b.Fatal(err)
	}
}
