package endpoint

import (
	"encoding/base64"

	"holdfast/server/money"
	"holdfast/sync/fault"
)

// Bounds of a page.
const (
	pageMax     = 100
	pageDefault = 50
)

// Page is one page of a list, which begins with the newest.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty" doc:"Send it as cursor for the next page; absent on the last one"`
}

// Paging is how a list is asked for.
type Paging struct {
	Cursor string `query:"cursor" maxLength:"400" doc:"The next of the page before; none for the first page"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50" doc:"How many items at most"`
}

// Cut takes a page out of a list. key names an item for good, so that what is added or removed meanwhile shifts nothing.
func Cut[T any](p Paging, list []T, key func(T) string) (Page[T], error) {
	out := Page[T]{Items: []T{}}
	from := 0
	if p.Cursor != "" {
		after, err := base64.RawURLEncoding.DecodeString(p.Cursor)
		for from = 0; err == nil && from < len(list) && key(list[from]) != string(after); from++ {
		}
		if err != nil || from == len(list) {
			return out, fault.Errorf("endpoint.Cut", fault.Invalid, "This cursor leads nowhere any more. Begin with the first page.")
		}
		from++
	}
	n := p.Limit
	if n <= 0 {
		n = pageDefault
	}
	to := min(len(list), from+min(n, pageMax))
	out.Items = append(out.Items, list[from:to]...)
	if to < len(list) {
		out.Next = base64.RawURLEncoding.EncodeToString([]byte(key(list[to-1])))
	}
	return out, nil
}

// Money is an amount: a decimal number as text, so that nobody reads it as a float.
type Money struct {
	Amount   string         `json:"amount" pattern:"^-?[0-9]+(\\.[0-9]+)?$" doc:"In major units, such as 12.50"`
	Currency money.Currency `json:"currency" doc:"ISO 4217"`
}

// Of writes minor units.
func Of(minor int64, c money.Currency) Money { return Money{money.Text(minor, c), c} }

// Minor reads an amount of a currency, which may not be another one.
func (m Money) Minor(c money.Currency) (int64, error) {
	const op = "endpoint.Minor"
	if m.Currency != "" && m.Currency != c {
		if _, err := money.ParseCurrency(string(m.Currency)); err != nil {
			return 0, err
		}
		return 0, fault.Errorf(op, fault.Invalid, "The workspace is billed in %s, not in %s.", c, m.Currency)
	}
	a, err := money.Parse(m.Amount, c)
	return a.Minor, err
}
