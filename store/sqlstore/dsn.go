package sqlstore

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"
)

// target is what a DSN names: a file, or the URL of a server.
type target struct{ file, url string }

// forms is the fix for a DSN of no known form.
const forms = "write sqlite:///path/to/file.db or postgresql://user@host:port/database"

// keywords looks for libpq's other form, "host=… dbname=…", which could pass for a path.
var keywords = regexp.MustCompile(`(^|\s)(host|hostaddr|port|user|dbname|password)\s*=`)

func parseDSN(dsn string) (target, error) {
	fail := func(format string, args ...any) (target, error) {
		return target{}, fmt.Errorf("store %q: %s", redacted(dsn), fmt.Sprintf(format, args...))
	}
	scheme, rest, hasScheme := strings.Cut(dsn, "://")
	switch {
	case dsn == "":
		return fail("it is empty; %s", forms)
	case strings.Contains(dsn, ":memory:"):
		return fail("the store must outlive its connections, memory does not; name a file in a temporary folder")
	case !hasScheme && keywords.MatchString(dsn):
		return fail("keyword=value is not understood; write it as a URL: postgresql://user@host:port/database")
	case !hasScheme:
		return file(dsn, fail)
	case scheme == "sqlite" && !strings.HasPrefix(rest, "/"):
		return fail("a host has no meaning for SQLite; write three slashes and the whole path: sqlite:///path/to/file.db")
	case scheme == "sqlite" && strings.ContainsAny(rest, "?#"):
		return fail("SQLite takes no options here; leave out what follows the path")
	case scheme == "sqlite":
		return file(rest, fail)
	case scheme == "postgresql" || scheme == "postgres":
		return server(dsn, fail)
	}
	return fail("the scheme %q is not known; %s", scheme, forms)
}

func file(path string, fail func(string, ...any) (target, error)) (target, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fail("it is a folder; name a file in it: %s/conclave.db", strings.TrimSuffix(path, "/"))
	}
	return target{file: path}, nil
}

func server(dsn string, fail func(string, ...any) (target, error)) (target, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		var cause *url.Error
		if errors.As(err, &cause) {
			err = cause.Err // without the URL, hence the password
		}
		return fail("%v; %s, with %%XX for special characters", err, forms)
	}
	if strings.Trim(u.Path, "/") == "" && u.Query().Get("dbname") == "" && u.Query().Get("database") == "" {
		return fail("it names no database; add it after the host: postgresql://user@host:port/database")
	}
	return target{url: dsn}, nil
}

// redacted is a DSN without its password, for errors and logs.
func redacted(dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil || keywords.MatchString(dsn) {
		return "(not shown: it may hold a password)"
	}
	query := u.Query()
	for _, secret := range []string{"password", "sslpassword"} {
		if query.Has(secret) {
			query.Set(secret, "xxxxx")
			u.RawQuery = query.Encode()
		}
	}
	return u.Redacted()
}
