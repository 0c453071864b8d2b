package cli

import (
	"net/http"

	"github.com/spf13/cobra"

	"github.com/conclave-voice/conclave/api/client"
	"github.com/conclave-voice/conclave/api/v1"
)

func customersCommand() *cobra.Command {
	return group("customers", "See and add customers", "A customer groups accounts. No customer sees or reaches what belongs to another.",
		func(c *connection) []*cobra.Command {
			list := &cobra.Command{Use: "list", Short: "List customers", Args: cobra.NoArgs,
				RunE: c.run(func(t task) error {
					return table(t.printer, client.List[v1.Customer](t, t.node, "/customers", nil), "ID NAME CREATED",
						func(v v1.Customer) []any { return []any{v.ID, v.Name, v.CreatedAt} })
				})}
			add := &cobra.Command{Use: "add NAME", Short: "Add a customer", Args: cobra.ExactArgs(1),
				RunE: c.run(func(t task) error {
					var v v1.Customer
					if err := client.Send(t, t.node, http.MethodPost, "/customers", v1.NewCustomer{Name: t.args[0]}, &v); err != nil {
						return err
					}
					return t.one(v)
				})}
			return []*cobra.Command{list, add}
		})
}

func tariffsCommand() *cobra.Command {
	return group("tariffs", "See and change what stays cost", "A tariff is a set of rates in one currency. Stays that run keep the rate that they began with.",
		func(c *connection) []*cobra.Command {
			list := &cobra.Command{Use: "list", Short: "List tariffs", Args: cobra.NoArgs,
				RunE: c.run(func(t task) error {
					return table(t.printer, client.List[v1.Tariff](t, t.node, "/tariffs", nil), "ID NAME CURRENCY",
						func(v v1.Tariff) []any { return []any{v.ID, v.Name, v.Currency} })
				})}
			rates := &cobra.Command{Use: "rates TARIFF", Short: "List the rates of a tariff, given by id or name", Args: cobra.ExactArgs(1),
				RunE: c.run(func(t task) error {
					return table(t.printer, client.List[v1.Rate](t, t.node, client.Path("tariffs", t.args[0], "rates"), nil),
						"SERVICE NUMBER PER-MINUTE FIRST-SECONDS NEXT-SECONDS CURRENCY",
						func(v v1.Rate) []any {
							return []any{v.Service, v.AccessNumber, v.PerMinute, v.FirstSeconds, v.NextSeconds, v.Currency}
						})
				})}
			return []*cobra.Command{list, addTariff(c), rates, setRate(c)}
		})
}

func addTariff(c *connection) *cobra.Command {
	in := v1.NewTariff{}
	cmd := &cobra.Command{Use: "add NAME", Short: "Add a tariff", Args: cobra.ExactArgs(1),
		RunE: c.run(func(t task) error {
			in.Name = t.args[0]
			var v v1.Tariff
			if err := client.Send(t, t.node, http.MethodPost, "/tariffs", in, &v); err != nil {
				return err
			}
			return t.one(v)
		})}
	cmd.Flags().StringVar(&in.Currency, "currency", "USD", "three letters (ISO 4217)")
	return cmd
}

func setRate(c *connection) *cobra.Command {
	in := v1.Rate{Service: "conferencing"}
	cmd := &cobra.Command{Use: "set-rate TARIFF PER-MINUTE", Short: "Set a rate of a tariff, given by id or name", Args: cobra.ExactArgs(2),
		Example: "  node tariffs set-rate \"Demo conferencing\" 0.03 --first 60 --next 60\n  node tariffs set-rate \"Demo conferencing\" 0.08 --number 18665552637",
		RunE: c.run(func(t task) error {
			if err := in.PerMinute.UnmarshalText([]byte(t.args[1])); err != nil {
				return err
			}
			var v v1.Rate
			if err := client.Send(t, t.node, http.MethodPut, client.Path("tariffs", t.args[0], "rates"), in, &v); err != nil {
				return err
			}
			return t.one(v)
		})}
	f := cmd.Flags()
	f.IntVar(&in.FirstSeconds, "first", 60, "`SECONDS` charged as soon as a stay begins")
	f.IntVar(&in.NextSeconds, "next", 60, "`SECONDS` of every further interval, charged once it has begun")
	f.StringVar(&in.AccessNumber, "number", "", "only for stays that come in by this access `NUMBER`")
	return cmd
}

func numbersCommand() *cobra.Command {
	return group("numbers", "See and add access numbers", `An access number is what callers dial. Numbers with the same code space take the same
access codes.`,
		func(c *connection) []*cobra.Command {
			list := &cobra.Command{Use: "list", Short: "List access numbers", Args: cobra.NoArgs,
				RunE: c.run(func(t task) error {
					return table(t.printer, client.List[v1.AccessNumber](t, t.node, "/numbers", nil), "ID NUMBER CODE-SPACE ROOM CUSTOMER LANGUAGE",
						func(v v1.AccessNumber) []any {
							return []any{v.ID, v.Number, v.CodeSpace, v.RoomID, v.CustomerID, v.Language}
						})
				})}
			return []*cobra.Command{list, addNumber(c)}
		})
}

func addNumber(c *connection) *cobra.Command {
	var in v1.NewAccessNumber
	cmd := &cobra.Command{Use: "add NUMBER", Short: "Add an access number", Args: cobra.ExactArgs(1),
		Example: "  node numbers add 498912345678 --code-space 18665552637\n  node numbers add 498912345679 --room \"Demo room\"",
		RunE: c.run(func(t task) (err error) {
			in.Number = t.args[0]
			if in.CustomerID, err = t.customer(in.CustomerID); err != nil {
				return err
			}
			if in.RoomID != "" {
				if in.RoomID, err = t.room(in.RoomID); err != nil {
					return err
				}
			}
			var v v1.AccessNumber
			if err := client.Send(t, t.node, http.MethodPost, "/numbers", in, &v); err != nil {
				return err
			}
			return t.one(v)
		})}
	f := cmd.Flags()
	f.StringVar(&in.CodeSpace, "code-space", "", "which codes it takes; left out: those of its own")
	f.StringVar(&in.RoomID, "room", "", "its own `ROOM`, by id or name: callers need no code and are guests")
	f.StringVar(&in.CustomerID, "customer", "", "it leads to rooms of this `CUSTOMER` alone: id or name")
	f.StringVar(&in.Language, "language", "en", "of the prompts")
	return cmd
}
