package reach

import (
	"errors"
	"time"
)

// Config is how fast to fail and how slow to trust.
type Config struct {
	// Failures in a row make a node count as not answering. With probes every 500 ms
	// and a time-out of 750 ms, four take at most 2.75 s.
	Failures int
	// Doubts in a row, fewer, make Suspect of Up and Down of Returning.
	Doubts int
	// Timeout is what the probes wait. A failure that took Slack longer is ours.
	Timeout, Slack time.Duration
	// Calm is how long a Suspect site must answer to be Up again.
	Calm time.Duration
	// Hold is how long a site that was Down must answer to be trusted. It doubles up to
	// MaxHold with each fall within ForgetAfter of the last return.
	Hold, MaxHold, ForgetAfter time.Duration
	// AskEvery is the time between questions to other sites about one that fails.
	// What they say counts for twice as long.
	AskEvery time.Duration
}

// DefaultConfig is for probes every 500 ms.
func DefaultConfig() Config {
	return Config{
		Failures: 4, Doubts: 2,
		Timeout: 750 * time.Millisecond, Slack: 500 * time.Millisecond,
		Calm: 2 * time.Second,
		Hold: 15 * time.Second, MaxHold: 4 * time.Minute, ForgetAfter: 10 * time.Minute,
		AskEvery: 2 * time.Second,
	}
}

// Validate tells everything that is wrong.
func (c Config) Validate() error {
	var errs []error
	if c.Doubts < 1 || c.Failures <= c.Doubts {
		errs = append(errs, errors.New("want at least one doubt, and more failures than doubts"))
	}
	if c.Timeout <= 0 || c.Slack <= 0 || c.Calm <= 0 || c.AskEvery <= 0 {
		errs = append(errs, errors.New("timeout, slack, calm and the time between questions must be over 0"))
	}
	if c.Hold <= 0 || c.MaxHold < c.Hold || c.ForgetAfter <= 0 {
		errs = append(errs, errors.New("want a hold over 0, a greatest hold not under it, "+
			"and a time after which falls are forgotten over 0"))
	}
	return errors.Join(errs...)
}
