package settings

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/conclave-voice/conclave/cmd/node/server"
)

// Document is docs/configuration.md.
func Document() string {
	var b strings.Builder
	b.WriteString(`# Configuration

` + "`node run`" + ` reads one YAML file (` + "`--config FILE`" + `), the environment and its flags. A flag wins over the
environment, the environment over the file, the file over the default. Each key has the same name everywhere:
` + "`max-calls: 500`" + ` in the file, ` + "`CONCLAVE_MAX_CALLS=500`" + ` in the environment, ` + "`--max-calls 500`" + ` on the command line.
A key that does not exist and a value that cannot be read are errors that name the line and the fix.

` + "```yaml" + `
site: munich
node: munich-1
sip: 192.0.2.10:5060
http: 192.0.2.10:8080
store-file: /etc/conclave/store-url
` + "```" + `
`)
	c, l := server.RunConfig(), Log{Level: "info"}
	section := ""
	for _, k := range keys() {
		f := pflag.NewFlagSet("", pflag.ContinueOnError)
		k.add(f, &c, &l)
		flag := f.Lookup(k.name)
		if k.section != section {
			section = k.section
			fmt.Fprintf(&b, "\n## %s\n\n| key | default | what |\n|---|---|---|\n", section)
		}
		value := "`" + flag.DefValue + "`"
		if shown, special := defaults()[k.name]; special {
			value = shown
		} else if flag.DefValue == "" {
			value = ""
		}
		_, usage := pflag.UnquoteUsage(flag)
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", k.name, value, strings.ReplaceAll(usage, "|", "\\|"))
	}
	return b.String()
}

// defaults are those that differ from machine to machine.
func defaults() map[string]string {
	return map[string]string{"node": "the host's name", "data": "`/var/lib/conclave` for root, else under the user's state directory"}
}
