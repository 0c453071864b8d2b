package cli

import (
	"fmt"
	"net/http"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/conclave-voice/conclave/api/client"
	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/store/money"
)

func accountsCommand() *cobra.Command {
	return group("accounts", "See and change accounts and their money", `An account owns rooms and pays for everybody in them. Its balance is always the sum of
its ledger, whose entries are never changed. An account is given by its id or name.`,
		func(c *connection) []*cobra.Command {
			return []*cobra.Command{listAccounts(c), showAccount(c), addAccount(c), limitAccount(c), ledger(c),

				entryCommand(c, "top-up", "top-ups", "Add money", `node accounts top-up conf1234 50.00 --reason "invoice 2026-0017"`),
				entryCommand(c, "adjust", "adjustments", "Add or take money to put something right",
					`node accounts adjust conf1234 --reason "charged twice" 0.90
  node accounts adjust conf1234 --reason "paid back" -- -20.00     (two dashes before an amount below zero)`)}
		})
}

func listAccounts(c *connection) *cobra.Command {
	limit := 0
	cmd := &cobra.Command{Use: "list", Short: "List accounts", Args: cobra.NoArgs,
		RunE: c.run(func(t task) error {
			return table(t.printer, limited[v1.Account](t, "/accounts", newQuery(), limit), "ID NAME BALANCE CREDIT RESERVED FUNDS CURRENCY BLOCKED",
				func(a v1.Account) []any {
					return []any{a.ID, a.Name, a.Balance, a.CreditLimit, a.Reserved, a.Funds, a.Currency, a.Blocked}
				})
		})}
	cmd.Flags().IntVar(&limit, "limit", 0, "so many at most; 0: all")
	return cmd
}

func showAccount(c *connection) *cobra.Command {
	return &cobra.Command{Use: "show ACCOUNT", Short: "Show an account", Args: cobra.ExactArgs(1),
		RunE: c.run(func(t task) error {
			a, err := client.Get[v1.Account](t, t.node, client.Path("accounts", t.args[0]), nil)
			if err != nil {
				return err
			}
			return t.one(a)
		})}
}

// amountFlag is a decimal amount of money.
type amountFlag struct{ *money.Amount }

func (a amountFlag) Set(text string) error { return a.UnmarshalText([]byte(text)) }
func (a amountFlag) Type() string          { return "AMOUNT" }

// addAmount adds a flag for an amount of money.
func addAmount(cmd *cobra.Command, value *money.Amount, name, usage string) {
	cmd.Flags().Var(amountFlag{value}, name, usage)
}

func addAccount(c *connection) *cobra.Command {
	var in v1.NewAccount
	cmd := &cobra.Command{Use: "add NAME", Short: "Add an account", Args: cobra.ExactArgs(1),
		Example: "  node accounts add conf5678 --customer Demo --tariff \"Demo conferencing\" --balance 50.00",
		RunE: c.run(func(t task) (err error) {
			in.Name = t.args[0]
			if in.CustomerID, err = t.customer(in.CustomerID); err != nil {
				return err
			}
			var a v1.Account
			if err := client.Send(t, t.node, http.MethodPost, "/accounts", in, &a); err != nil {
				return err
			}
			return t.one(a)
		})}
	f := cmd.Flags()
	f.StringVar(&in.CustomerID, "customer", "", "`CUSTOMER` that it belongs to: id or name")
	f.StringVar(&in.TariffID, "tariff", "", "`TARIFF` that it is charged by, and whose currency it has: id or name")
	addAmount(cmd, &in.OpeningBalance, "balance", "its first ledger entry")
	addAmount(cmd, &in.CreditLimit, "credit-limit", "how far below zero the balance may go")
	f.IntVar(&in.MaxParticipants, "max-participants", 0, "in all its conferences together; 0: no limit")
	f.BoolVar(&in.Blocked, "blocked", false, "no new call may be charged to it")
	_, _ = cmd.MarkFlagRequired("customer"), cmd.MarkFlagRequired("tariff") // the flags are there
	return cmd
}

func limitAccount(c *connection) *cobra.Command {
	var credit money.Amount
	var max int
	var blocked bool
	cmd := &cobra.Command{Use: "edit ACCOUNT", Short: "Change an account's limits, or block it", Args: cobra.ExactArgs(1),
		Long:    "Changes what flags are given for. To change its balance, use top-up or adjust.",
		Example: "  node accounts edit conf1234 --credit-limit 20.00\n  node accounts edit conf1234 --blocked",
		RunE: c.run(func(t task) error {
			edit := v1.AccountLimits{CreditLimit: given(t, "credit-limit", &credit),
				MaxParticipants: given(t, "max-participants", &max), Blocked: given(t, "blocked", &blocked)}
			var a v1.Account
			if err := client.Send(t, t.node, http.MethodPatch, client.Path("accounts", t.args[0]), edit, &a); err != nil {
				return err
			}
			return t.one(a)
		})}
	addAmount(cmd, &credit, "credit-limit", "how far below zero the balance may go")
	cmd.Flags().IntVar(&max, "max-participants", 0, "in all its conferences together; 0: no limit")
	cmd.Flags().BoolVar(&blocked, "blocked", false, "no new call may be charged to it; --blocked=false allows them again")
	return cmd
}

func ledger(c *connection) *cobra.Command {
	return &cobra.Command{Use: "ledger ACCOUNT", Short: "List the entries that make up an account's balance", Args: cobra.ExactArgs(1),
		RunE: c.run(func(t task) error {
			list := client.List[v1.LedgerEntry](t, t.node, client.Path("accounts", t.args[0], "entries"), nil)
			return table(t.printer, list, "AT KIND AMOUNT BALANCE CURRENCY AUTHOR REASON RECORD", func(e v1.LedgerEntry) []any {
				return []any{e.At, e.Kind, e.Amount, e.Balance, e.Currency, e.Author, e.Reason, e.XDRID}
			})
		})}
}

// entryCommand makes the commands that add to a ledger.
func entryCommand(c *connection, verb, path, short, example string) *cobra.Command {
	var in v1.NewEntry
	cmd := &cobra.Command{Use: verb + " ACCOUNT AMOUNT", Short: short, Args: cobra.ExactArgs(2),
		Long: short + `, in the account's currency.

A request that broke off may have been carried out. To send it again without doing it
twice, give the id that the first one was sent with.`,
		Example: "  " + example,
		RunE: c.run(func(t task) error {
			if err := in.Amount.UnmarshalText([]byte(t.args[1])); err != nil {
				return fmt.Errorf("amount: %w", err)
			}
			if in.ID == "" {
				id, err := uuid.NewV7()
				if err != nil {
					return fmt.Errorf("make an id: %w", err)
				}
				in.ID = id.String()
			}
			var e v1.LedgerEntry
			if err := client.Send(t, t.node, http.MethodPost, client.Path("accounts", t.args[0], path), in, &e); err != nil {
				return fmt.Errorf("%w\n(to send it again, add --id %s)", err, in.ID)
			}
			return t.one(e)
		})}
	cmd.Flags().StringVar(&in.Reason, "reason", "", "why; an adjustment needs it")
	cmd.Flags().StringVar(&in.Currency, "currency", "", "if given, it must be the account's")
	cmd.Flags().StringVar(&in.ID, "id", "", "of the entry: the same id again makes no second entry")
	return cmd
}
