//go:build browser

package e2e

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// page is a tab of a browser of its own, in which a test reads what a person would.
type page struct {
	t   testing.TB
	ctx context.Context
	dir string // for screenshots
}

// newPage starts a browser. It ends with the test.
func newPage(t testing.TB) *page {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("Chromium is not installed, and without it nobody looks at the pages: apt-get install chromium")
	}
	opts := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1400, 1200), chromedp.Env("TZ=UTC", "HOME="+t.TempDir()),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, // a container has neither a display nor user namespaces
	}
	for _, quiet := range []string{"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync"} {
		opts = append(opts, chromedp.Flag(quiet, true))
	}
	// The test's own context ends before its clean-ups, and would kill the browser instead of closing it.
	allocator, stop := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), opts...)
	ctx, leave := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Errorf("close the browser: %v", err)
		}
		leave()
		stop()
	})
	p := &page{t: t, ctx: ctx, dir: os.Getenv("DURASYNC_SCREENSHOTS")}
	if p.dir == "" {
		p.dir = t.ArtifactDir()
	}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return p
}

// do runs one step in the page.
func do[T any](p *page, what string, a chromedp.Action[T]) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		p.t.Fatalf("%s: %v", what, err)
	}
	return v
}

// open goes to an address.
func (p *page) open(url string) {
	p.t.Helper()
	do(p, "open "+url, chromedp.Navigate(url))
}

// follow clicks the first link with the text, and waits until the page behind it shows the words.
func (p *page) follow(text string, words ...string) {
	p.t.Helper()
	p.shows(text)
	do(p, "click "+text, chromedp.Click(chromedp.Search(`//a[contains(., "`+text+`")]`)))
	p.shows(words...)
}

// read is a JavaScript function that returns the text that a person sees, that of frames included: the web UI shows Markdown in
// frames.
const read = `function read(d) {
	const frames = [...d.querySelectorAll("iframe")].map(f => f.contentDocument && f.contentDocument.body ? read(f.contentDocument) : "");
	return [d.body.innerText, ...frames].join("\n");
}`

// text returns what a person sees.
func (p *page) text() string {
	p.t.Helper()
	return do(p, "read the page", chromedp.Evaluate[string]("("+read+")(document)"))
}

// textOf returns what a person sees of the first element that a CSS selector fits.
func (p *page) textOf(selector string) string {
	p.t.Helper()
	return do(p, "read "+selector, chromedp.Text(selector))
}

// shows waits until the page shows all of the words and returns its text.
func (p *page) shows(words ...string) string {
	p.t.Helper()
	list, err := json.Marshal(words)
	if err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	expression := "(() => { " + read + "\nconst text = read(document); return " + string(list) + ".every(w => text.includes(w)); })()"
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		// A page that is just being replaced by another one cannot be asked; the next one can.
		if ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression)); err == nil && ok {
			return p.text()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			p.shot("missing")
			text := p.text()
			missing := slices.DeleteFunc(words, func(w string) bool { return strings.Contains(text, w) })
			p.t.Fatalf("the page does not show %q:\n%s", missing, text)
		}
	}
}

// shot saves a picture of the whole page for people to look at.
func (p *page) shot(name string) {
	p.t.Helper()
	png := do(p, "take a picture", chromedp.FullScreenshot(100))
	if err := os.WriteFile(filepath.Join(p.dir, name+".png"), png, 0o644); err != nil {
		p.t.Fatal(err)
	}
}
