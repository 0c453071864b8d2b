package console

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"
)

func get(t *testing.T, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

// SC2, SE1: pages are served with a policy that lets no other script run.
func TestPages(t *testing.T) {
	for path, kind := range map[string]string{"/console/": "text/html", "/console/index.html": "text/html", "/console/style.css": "text/css",
		"/console/app.js": "text/javascript", "/console/views/codecs.js": "text/javascript", "/console/icon.svg": "image/svg+xml"} {
		w := get(t, path)
		if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), kind) ||
			!strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'; script-src 'self'") {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
	}
	for _, path := range []string{"/console/nothing", "/console/views", "/console/../console.go", "/console/../../doc.go"} {
		if w := get(t, path); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), Prefix) {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

// Whatever a page loads is there, and nothing is loaded from elsewhere.
func TestWhatPagesLoadIsThere(t *testing.T) {
	loads := regexp.MustCompile(`(?:from|src=|href=) ?["']([\w./-]+)["']`)
	found := 0
	err := fs.WalkDir(files, "web", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		for _, m := range loads.FindAllStringSubmatch(string(text), -1) {
			found++
			if _, err := fs.Stat(files, path.Join(path.Dir(name), m[1])); err != nil {
				t.Errorf("%s loads %s: %v", name, m[1], err)
			}
		}
		if strings.Contains(string(text), "innerHTML") || strings.Contains(string(text), "style=") {
			t.Errorf("%s makes markup of text, or styles that the policy forbids", name)
		}
		return nil
	})
	if err != nil || found < 10 {
		t.Errorf("%d loads, %v", found, err)
	}
}
