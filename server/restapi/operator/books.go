package operator

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"holdfast/server/export"
	"holdfast/server/ledger"
	"holdfast/server/restapi/endpoint"
	"holdfast/server/revenue"
	"holdfast/sync/fault"
)

type journalInput struct {
	endpoint.None
	endpoint.Paging
	From      time.Time `query:"from" doc:"Only what belongs to this moment or later"`
	Until     time.Time `query:"until" doc:"Only what belongs to before this moment"`
	Workspace string    `query:"workspace" maxLength:"64"`
	Account   string    `query:"account" maxLength:"64" doc:"Only bookings that touch this account"`
}

func (in journalInput) takes(t ledger.Tx) bool {
	switch {
	case !in.From.IsZero() && t.Effective.Before(in.From), !in.Until.IsZero() && !t.Effective.Before(in.Until):
		return false
	case in.Workspace != "" && t.Customer != in.Workspace:
		return false
	}
	return in.Account == "" || slices.ContainsFunc(t.Entries, func(e ledger.Entry) bool { return string(e.Account) == in.Account })
}

type exportInput struct {
	endpoint.None
	Table string `path:"table" enum:"invoices,invoice-lines,credit-notes,payments,usage,journal,revenue"`
}

func (r registrar) books() {
	b := r.Billing
	endpoint.Register(r.all, op(http.MethodGet, "listJournal", "/ledger/journal", "The ledger's bookings, the newest first"),
		func(_ context.Context, in journalInput) (endpoint.Page[Booking], error) {
			list := r.journal(in)
			cut, err := endpoint.Cut(in.Paging, list, func(t ledger.Tx) string { return t.Customer + "/" + t.Key })
			out := endpoint.Page[Booking]{Items: []Booking{}, Next: cut.Next}
			for _, t := range cut.Items {
				out.Items = append(out.Items, booking(t))
			}
			return out, err
		})
	endpoint.Register(r.all, op(http.MethodGet, "getBalances", "/ledger/balances", "The balance of every account of the ledger; the balances of a currency add up to zero"),
		func(context.Context, endpoint.None) ([]BalanceRow, error) {
			out := []BalanceRow{}
			for _, row := range ledger.Trial(b.Books()...) {
				for _, e := range row.Accounts {
					out = append(out, BalanceRow{string(e.Account), endpoint.Of(e.Amount, row.Currency)})
				}
			}
			return out, nil
		})
	endpoint.Register(r.all, op(http.MethodGet, "getRevenue", "/revenue", "The revenue schedule by month"),
		func(context.Context, endpoint.None) ([]RevenueMonth, error) {
			out := []RevenueMonth{}
			var items []revenue.Item
			for _, a := range b.Accounts() {
				for _, e := range a.Earnings {
					items = append(items, e.Item)
				}
			}
			for _, m := range revenue.Schedule(items, b.Catalog().Zone) {
				x := func(n int64) endpoint.Money { return endpoint.Of(n, m.Currency) }
				out = append(out, RevenueMonth{m.Month, x(m.Recognised), x(m.Deferred), x(m.Change), x(m.Unbilled)})
			}
			return out, nil
		})
	endpoint.RegisterFile(r.all, op(http.MethodGet, "exportTable", "/exports/{table}", "A table for accountants as CSV"), []string{"text/csv"},
		func(_ context.Context, in exportInput) (endpoint.File, error) {
			name := in.Table + ".csv"
			for _, f := range export.Files(b.Accounts(), b.Books(), b.Catalog().Zone) {
				if f.Name == name {
					var out bytes.Buffer
					err := f.Write(&out)
					return endpoint.File{Name: name, Type: "text/csv; charset=utf-8", Body: out.Bytes()}, err
				}
			}
			return endpoint.File{}, fault.Errorf("operator.exportTable", fault.NotFound, "There is no table %q.", in.Table)
		})
}

// journal lists bookings of all books, the newest first; of one moment in the order of their books.
func (r registrar) journal(in journalInput) []ledger.Tx {
	var list []ledger.Tx
	for _, b := range r.Billing.Books() {
		for _, t := range slices.Backward(b.Txs()) {
			if in.takes(t) {
				list = append(list, t)
			}
		}
	}
	slices.SortStableFunc(list, func(x, y ledger.Tx) int {
		if c := y.At.Compare(x.At); c != 0 {
			return c
		}
		return strings.Compare(x.Customer, y.Customer)
	})
	return list
}
