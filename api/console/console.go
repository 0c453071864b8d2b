package console

import (
	"bytes"
	"embed"
	"io/fs"
	"net/http"
	"path"
	"time"
)

//go:embed web
var files embed.FS

// Prefix is the path that the console is served under.
const Prefix = "/console/"

// policy lets a page load what is served here, ask the API of the same node, and nothing
// else (Content Security Policy Level 3).
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Handler serves the console under Prefix.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := path.Clean("web/" + r.URL.Path[len(Prefix):])
		if name == "web" {
			name = "web/index.html"
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			http.Error(w, "the console has no page "+r.URL.Path+"; it begins at "+Prefix, http.StatusNotFound)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-cache") // another version of the program has other pages
		http.ServeContent(w, r, path.Base(name), time.Time{}, bytes.NewReader(text))
	})
}
