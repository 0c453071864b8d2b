package server

import (
	"fmt"
	"io"
)

// banner tells how to call in.
func banner(w io.Writer, c Config, sip, http string) {
	fmt.Fprintf(w, `
Conclave is ready.

  Call   sip:%[1]s@%[2]s      (UDP or TCP)
         Demo room: guest code 123456, host code 987654
         Board (moderated): guest code 234567, host code 876543
         End a code with the pound key. From another machine log in as %[3]s / %[4]s.

  baresip   baresip -e "/uanew <sip:me@127.0.0.1>;regint=0" -e "/dial sip:%[1]s@%[2]s"

  SIPp      sipp -sn uac -s %[1]s -i 127.0.0.1 -m 1 -d 10000 %[2]s     (a call of ten seconds that hears the prompts)

  API    http://%[5]s/api/v1/openapi.json; from this machine without a token. Try: node rooms list%[7]s
  Health http://%[5]s/readyz, figures for Prometheus http://%[5]s/metrics
  Data   %[6]s
  Stop   Ctrl-C
`, demoNumber, sip, demoUser, demoPassword, http, c.DataDir, where(http))
}

// where is what the commands must be told to find this node.
func where(http string) string {
	if http == DevConfig().HTTP {
		return ""
	}
	return " --api http://" + http
}
