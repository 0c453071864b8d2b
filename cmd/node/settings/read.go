package settings

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v4"
)

// Read fills the flags that the command line does not give from the environment
// (lookup, such as os.LookupEnv) and then from a file; no file if its name is empty.
// The error joins one for each thing that is wrong.
func Read(f *pflag.FlagSet, file string, lookup func(string) (string, bool)) error {
	var problems []error
	var names []string
	f.VisitAll(func(flag *pflag.Flag) {
		names = append(names, flag.Name)
		value, ok := lookup(Variable(flag.Name))
		if !ok || flag.Changed {
			return
		}
		if err := f.Set(flag.Name, value); err != nil {
			problems = append(problems, unusable(Variable(flag.Name), value, flag))
		}
	})
	if file != "" {
		problems = append(problems, readFile(f, file, names)...)
	}
	return errors.Join(problems...)
}

// Variable is the environment variable of a key: CONCLAVE_MAX_CALLS for max-calls.
func Variable(name string) string {
	return "CONCLAVE_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// unusable says that a value is not of the key's type.
func unusable(where, value string, flag *pflag.Flag) error {
	kinds := map[string]string{"int": "a whole number, such as 500", "duration": "a time with its unit, such as 5s, 2m or 1h", "bool": "true or false"}
	_, usage := pflag.UnquoteUsage(flag)
	return fmt.Errorf("%s: %q: write %s (%s)", where, value, kinds[flag.Value.Type()], usage)
}

// maxFile bounds what a wrong file can cost.
const maxFile = 1 << 20

func readFile(f *pflag.FlagSet, name string, names []string) (problems []error) {
	in, err := os.Open(name)
	if err != nil {
		return []error{fmt.Errorf("--config: %w", err)}
	}
	defer in.Close()
	text, err := io.ReadAll(io.LimitReader(in, maxFile))
	if err != nil {
		return []error{fmt.Errorf("--config: %w", err)}
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return []error{fmt.Errorf("--config %s: it is not YAML: %w", name, err)}
	}
	if len(root.Content) == 0 {
		return nil // empty
	}
	lines := root.Content[0]
	if lines.Kind != yaml.MappingNode {
		return []error{fmt.Errorf("--config %s: write lines such as site: munich", name)}
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(lines.Content); i += 2 {
		k, v := lines.Content[i], lines.Content[i+1]
		where := fmt.Sprintf("%s, line %d: %s", name, k.Line, k.Value)
		switch flag := f.Lookup(k.Value); {
		case flag == nil:
			problems = append(problems, fmt.Errorf("%s: there is no such key%s", where, similar(k.Value, names)))
		case seen[k.Value]:
			problems = append(problems, fmt.Errorf("%s: it is there twice; remove one", where))
		case v.Kind != yaml.ScalarNode:
			problems = append(problems, fmt.Errorf("%s: write one value, not a list or a section", where))
		case flag.Changed: // by the command line or the environment
		default:
			if err := f.Set(flag.Name, v.Value); err != nil {
				problems = append(problems, unusable(where, v.Value, flag))
			}
		}
		seen[k.Value] = true
	}
	return problems
}

// similar suggests the key that was meant.
func similar(name string, names []string) string {
	best, least := "", 4 // more edits than that are another word
	for _, n := range names {
		if d := distance(name, n); d < least {
			best, least = n, d
		}
	}
	if best == "" {
		return "; the keys are in docs/configuration.md and in node run --help"
	}
	return fmt.Sprintf("; did you mean %s?", best)
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
