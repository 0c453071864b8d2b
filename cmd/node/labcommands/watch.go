package labcommands

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/conclave-voice/conclave/testenv/lab"
)

// watchEvery is how often a view is drawn anew.
const watchEvery = time.Second

// What a terminal is told: to go to its corner, to clear the rest of a line and of the
// screen. Drawing over what is there does not flicker.
const (
	home      = "\x1b[H"
	clearLine = "\x1b[K"
	clearRest = "\x1b[J"
)

// watchLab draws the lab until ctx ends, or the lab does.
func watchLab(ctx context.Context, c *lab.Client, has furnished, dir string, out io.Writer) error {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	fmt.Fprint(out, home+clearRest)
	for {
		v, err := look(ctx, c, has, dir)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		var b strings.Builder
		if err := v.write(&b); err != nil {
			return err
		}
		if _, err := fmt.Fprint(out, home+crop(b.String(), size(out))+clearRest); err != nil {
			return fmt.Errorf("draw the lab: %w", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// area is what a terminal has room for.
type area struct{ columns, rows int }

// size is that of the terminal; what is no terminal has room for everything.
func size(out io.Writer) area {
	if f, ok := out.(*os.File); ok {
		if columns, rows, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 && rows > 1 {
			return area{columns, rows}
		}
	}
	return area{math.MaxInt, math.MaxInt}
}

// crop cuts a text to what a terminal has room for, as a longer line would push others
// out, and clears what was in the lines before.
func crop(text string, a area) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if more := len(lines) - (a.rows - 1); more > 0 {
		lines = append(lines[:a.rows-2], fmt.Sprintf("... %d more lines: make the terminal higher", more+1))
	}
	var b strings.Builder
	for _, line := range lines {
		if r := []rune(line); len(r) > a.columns {
			line = string(r[:a.columns])
		}
		b.WriteString(line + clearLine + "\n")
	}
	return b.String()
}
