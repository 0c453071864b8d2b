package codectest

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Signals are audio of 64,000 samples for any rate, by name: sweeps with noise from
// faint to overdriven, the hardest steps there are, and silence.
func Signals() map[string][]int16 {
	const period = 16000
	random := rand.New(rand.NewPCG(7, 22))
	all := map[string][]int16{"silence": make([]int16, 4*period)}
	for _, amplitude := range []float64{20, 300, 8000, 20000, 60000} {
		pcm := make([]int16, 4*period)
		for i := range pcm {
			at := float64(i % period)
			sweep := math.Sin(math.Pi * at * at / (2 * period))
			s := amplitude * (sweep + 2*random.Float64() - 1) / 2
			pcm[i] = int16(max(-32768, min(s, 32767)))
		}
		all[fmt.Sprintf("sweep of %.0f", amplitude)] = pcm
	}
	steps := make([]int16, 4*period)
	for i := range steps {
		steps[i] = [2]int16{-32768, 32767}[random.IntN(9)/8]
	}
	all["steps"] = steps
	return all
}

// Octets are n random ones, the same each time.
func Octets(n int) []byte {
	b := make([]byte, n)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}
