package sqlstore

import (
	"io"
	"io/fs"
	"strings"
)

// strict shows the migrations as SQLite has to read them to refuse wrong types, which
// it accepts in ordinary tables: STRICT is switched on, and BIGINT is called INTEGER,
// which has 64 bits there and is the only name a strict table knows. The others read
// the mark /* STRICT */ as the comment that it is. A step is one transaction, for SQLite
// cannot be told to add a column unless it is there, when a step is begun anew.
type strict struct{ fs.FS }

var strictly = strings.NewReplacer("/* STRICT */", "STRICT", "BIGINT", "INTEGER",
	"ADD COLUMN IF NOT EXISTS", "ADD COLUMN", "-- +goose NO TRANSACTION\n", "")

func (s strict) Open(name string) (fs.File, error) {
	f, err := s.FS.Open(name)
	if err != nil || !strings.HasSuffix(name, ".sql") {
		return f, err
	}
	text, err := io.ReadAll(f)
	if err != nil {
		f.Close()
		return nil, err
	}
	return strictFile{f, strings.NewReader(strictly.Replace(string(text)))}, nil
}

type strictFile struct {
	fs.File
	text *strings.Reader
}

func (f strictFile) Read(b []byte) (int, error) { return f.text.Read(b) }
