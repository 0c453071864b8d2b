package cli

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/conclave-voice/conclave/api/client"
	"github.com/conclave-voice/conclave/api/v1"
)

func rulesCommand() *cobra.Command {
	return group("rules", "See and change how callers are authorized", `Call-handling rules are tried by their position; the first that matches a call in all its
fields decides. Where none matches, the call is refused.`,
		func(c *connection) []*cobra.Command {
			list := &cobra.Command{Use: "list", Short: "List call-handling rules", Args: cobra.NoArgs,
				RunE: c.run(func(t task) error {
					return table(t.printer, client.List[v1.CallRule](t, t.node, "/call-rules", nil), "ID POSITION SOURCE TRANSPORT CALLED ACTION",
						func(v v1.CallRule) []any {
							return []any{v.ID, v.Position, v.Source, v.Transport, v.Called, v.Action}
						})
				})}
			remove := &cobra.Command{Use: "remove ID", Short: "Remove a call-handling rule", Args: cobra.ExactArgs(1),
				RunE: c.run(func(t task) error {
					if err := client.Send(t, t.node, http.MethodDelete, client.Path("call-rules", t.args[0]), nil, nil); err != nil {
						return err
					}
					t.done("removed the rule %s", t.args[0])
					return nil
				})}
			return []*cobra.Command{list, addRule(c), remove}
		})
}

func addRule(c *connection) *cobra.Command {
	var in v1.NewCallRule
	cmd := &cobra.Command{Use: "add trust|digest|refuse", Short: "Add a call-handling rule", Args: cobra.ExactArgs(1),
		Long:    "Adds a rule. trust authorizes by remote address, digest by user name and password.",
		Example: "  node rules add trust --position 15 --source 192.0.2.0/24\n  node rules add refuse --position 5 --called '1900*'",
		RunE: c.run(func(t task) error {
			in.Action = t.args[0]
			var v v1.CallRule
			if err := client.Send(t, t.node, http.MethodPost, "/call-rules", in, &v); err != nil {
				return err
			}
			return t.one(v)
		})}
	f := cmd.Flags()
	f.IntVar(&in.Position, "position", 0, "rules are tried by ascending position")
	f.StringVar(&in.Source, "source", "", "`NETWORK` that the call comes from, such as 192.0.2.0/24")
	f.StringVar(&in.Transport, "transport", "", "udp, tcp, tls, ws or wss")
	f.StringVar(&in.Called, "called", "", "`PATTERN` of the called number: * any run, ? any one character")
	_ = cmd.MarkFlagRequired("position") // the flag is there
	return cmd
}

func usersCommand() *cobra.Command {
	return group("users", "Set SIP users", "A SIP user calls with a name and password, where a call-handling rule asks for them.",
		func(c *connection) []*cobra.Command { return []*cobra.Command{putUser(c)} })
}

func putUser(c *connection) *cobra.Command {
	var in v1.PutSIPUser
	cmd := &cobra.Command{Use: "set USERNAME", Short: "Add a SIP user, or change its password or account", Args: cobra.ExactArgs(1),
		Long:    "The password is asked for, or read from the standard input. Only hashes of it are kept.",
		Example: "  node users set bob --account conf1234",
		RunE: c.run(func(t task) (err error) {
			if in.Password, err = password(t.cmd.InOrStdin(), t.cmd.ErrOrStderr()); err != nil {
				return err
			}
			var v v1.SIPUser
			if err := client.Send(t, t.node, http.MethodPut, client.Path("sip-users", t.args[0]), in, &v); err != nil {
				return err
			}
			return t.one(v)
		})}
	cmd.Flags().StringVar(&in.Account, "account", "", "`ACCOUNT` that the user belongs to: id or name")
	cmd.Flags().StringVar(&in.Realm, "realm", "", "of digest authentication; left out: the node's")
	_ = cmd.MarkFlagRequired("account") // the flag is there
	return cmd
}

// password reads a line, unseen where a person types it.
func password(in io.Reader, prompt io.Writer) (string, error) {
	if f, ok := in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(prompt, "Password: ")
		text, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(prompt)
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		return string(text), nil
	}
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

func tokensCommand() *cobra.Command {
	return group("tokens", "See, add and remove API tokens", `Programs use the API with a token. An operator's token may do everything, a customer's
everything of one customer, a read-only one sees one customer's things.`,
		func(c *connection) []*cobra.Command {
			list := &cobra.Command{Use: "list", Short: "List API tokens", Args: cobra.NoArgs,
				RunE: c.run(func(t task) error {
					return table(t.printer, client.List[v1.Token](t, t.node, "/tokens", nil), "ID NAME ROLE CUSTOMER CREATED EXPIRES",
						func(v v1.Token) []any {
							return []any{v.ID, v.Name, v.Role, v.CustomerID, v.CreatedAt, v.ExpiresAt}
						})
				})}
			remove := &cobra.Command{Use: "remove ID", Short: "Remove an API token", Args: cobra.ExactArgs(1),
				RunE: c.run(func(t task) error {
					if err := client.Send(t, t.node, http.MethodDelete, client.Path("tokens", t.args[0]), nil, nil); err != nil {
						return err
					}
					t.done("removed the token %s", t.args[0])
					return nil
				})}
			return []*cobra.Command{list, addToken(c), remove}
		})
}

func addToken(c *connection) *cobra.Command {
	var in v1.NewToken
	var expires time.Duration
	cmd := &cobra.Command{Use: "add NAME", Short: "Add an API token and tell its secret, once", Args: cobra.ExactArgs(1),
		Example: "  node tokens add billing-export --role readonly --customer Demo --expires 8760h",
		RunE: c.run(func(t task) (err error) {
			in.Name = t.args[0]
			if in.CustomerID, err = t.customer(in.CustomerID); err != nil {
				return err
			}
			if expires > 0 {
				in.ExpiresAt = time.Now().Add(expires).UTC()
			}
			var v v1.TokenSecret
			if err := client.Send(t, t.node, http.MethodPost, "/tokens", in, &v); err != nil {
				return err
			}
			return t.one(v)
		})}
	f := cmd.Flags()
	f.StringVar(&in.Role, "role", "operator", "operator, customer or readonly")
	f.StringVar(&in.CustomerID, "customer", "", "`CUSTOMER` of a customer's or read-only token: id or name")
	f.DurationVar(&expires, "expires", 0, "after so long, such as 720h; 0: never")
	return cmd
}
