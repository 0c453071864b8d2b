package browser

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/conclave-voice/conclave/testenv/tools"
)

// Browser is one with one page.
type Browser struct {
	t   testing.TB
	ctx context.Context
}

// Start starts a browser that ends with the test. Where distributions have no package of
// it that could be installed, CONCLAVE_WITHOUT_BROWSER skips the test.
func Start(t testing.TB) *Browser {
	t.Helper()
	chromium := tools.Tool{Program: "chromium", Package: "chromium"}
	if _, err := exec.LookPath(chromium.Program); err != nil && os.Getenv("CONCLAVE_WITHOUT_BROWSER") != "" {
		t.Skip("there is no browser, as CONCLAVE_WITHOUT_BROWSER says")
	}
	tools.Need(t, chromium)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium.Program), chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.WindowSize(1100, 800))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // it refuses to run as root with one
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, end := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx)
		end()
		stop()
	})
	b := &Browser{t, ctx}
	if err := chromedp.Do(ctx); err != nil { // with a context that has no end: it is the browser's
		t.Fatal(err)
	}
	return b
}

// patience is how long something may take that a page does.
const patience = time.Minute

func (b *Browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%v; the page says:\n%s", err, b.text())
	}
}

func (b *Browser) text() string {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body.innerText"))
	if err != nil {
		return err.Error()
	}
	return text
}

// Open loads a page.
func (b *Browser) Open(url string) { b.t.Helper(); b.do(chromedp.Navigate(url)) }

// Click clicks on the first link or button that is called so, once it is there. where is
// what it is in, as a step of XPath: main, tr[2].
func (b *Browser) Click(where, name string) {
	b.t.Helper()
	b.do(chromedp.Click(fmt.Sprintf("//%s//*[(self::a or self::button) and normalize-space()=%q]", where, name)))
}

// Type types into a field, named by a CSS selector.
func (b *Browser) Type(field, text string) {
	b.t.Helper()
	b.do(chromedp.SendKeys(chromedp.CSS(field), text))
}

// Shows waits until the page shows all of the texts.
func (b *Browser) Shows(texts ...string) {
	b.t.Helper()
	b.awaits(func(page string) bool {
		for _, text := range texts {
			if !strings.Contains(page, text) {
				return false
			}
		}
		return true
	}, fmt.Sprintf("shows %q", texts))
}

// Hides waits until the page shows the text no more.
func (b *Browser) Hides(text string) {
	b.t.Helper()
	b.awaits(func(page string) bool { return !strings.Contains(page, text) }, fmt.Sprintf("hides %q", text))
}

func (b *Browser) awaits(wanted func(string) bool, what string) {
	b.t.Helper()
	for began := time.Now(); !wanted(b.text()); {
		if time.Since(began) > patience {
			b.t.Fatalf("the page never %s; it says:\n%s", what, b.text())
		}
	}
}

// Rows tells how many rows the page's only table has.
func (b *Browser) Rows() int {
	b.t.Helper()
	n, err := chromedp.Run(b.ctx, chromedp.Evaluate[int]("document.querySelectorAll('tbody tr').length"))
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

// Evaluate runs a script in the page.
func (b *Browser) Evaluate(script string) {
	b.t.Helper()
	b.do(chromedp.Evaluate[chromedp.Void](script))
}

// AnswerDialogs answers each question that the page asks with yes.
func (b *Browser) AnswerDialogs() { b.t.Helper(); b.Evaluate("window.confirm = () => true") }

// Picture is the page as PNG.
func (b *Browser) Picture() []byte {
	b.t.Helper()
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	return png
}
