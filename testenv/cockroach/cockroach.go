package cockroach

import (
	"os"
	"testing"

	"github.com/cockroachdb/cockroach-go/v2/testserver"
)

// variable names the program.
const variable = "COCKROACH_BINARY"

// Region is the region of the one node that Start starts.
const Region = "here"

// Start starts a server of one node in memory, in a region, and returns its DSN; it ends
// with the test. Without a program, which COCKROACH_BINARY names, the test is skipped:
// none is downloaded.
func Start(t testing.TB) (server string) {
	t.Helper()
	program := os.Getenv(variable)
	if program == "" {
		t.Skip(variable + " is not set; it may name the program of CockroachDB to test on")
	}
	s, err := testserver.NewTestServer(testserver.CockroachBinaryPathOpt(program), testserver.LocalityFlagsOpt("region="+Region), testserver.CockroachLogsDirOpt(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	if err := s.WaitForInit(); err != nil {
		t.Fatal(err)
	}
	return s.PGURL().String()
}
