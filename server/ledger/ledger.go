// Package ledger is double-entry bookkeeping: append only, and every transaction sums to zero in its one currency.
//
// A Book is a value of one customer or of the whole house; nothing in it is ever changed or removed. A mistake is put
// right by another transaction. Posting the same key again is the same transaction and changes nothing.
package ledger

import (
	"sort"
	"time"

	"holdfast/server/money"
	"holdfast/sync/fault"
)

// Account is a name in the chart of accounts.
type Account string

// The chart. Debits are positive: assets and expenses grow by them, liabilities and income shrink.
const (
	Receivable  Account = "receivable"         // asset: what customers owe
	Cash        Account = "cash"               // asset: what the processor or the bank holds for us
	Disputed    Account = "disputed"           // asset: taken back by a bank until a dispute is decided
	Deferred    Account = "deferred_revenue"   // liability: billed, not yet earned
	TaxPayable  Account = "tax_payable"        // liability: owed to the state
	Balance     Account = "customer_balance"   // liability: owed to customers, from credit notes and overpayments
	PrepaidHeld Account = "prepaid_credit"     // liability: bought ahead, not yet spent
	Refunds     Account = "refunds_payable"    // liability: to be paid back
	Unapplied   Account = "unapplied_payments" // liability: money that nobody could match
	Revenue     Account = "revenue"            // income
	Breakage    Account = "breakage"           // income: bought ahead and expired
	Promotion   Account = "promotion"          // expense (contra income): credit given away
	BadDebt     Account = "bad_debt"           // expense
	DisputeLoss Account = "dispute_losses"     // expense
)

// Accounts lists the chart in the order of reports.
var Accounts = []Account{Receivable, Cash, Disputed, Deferred, TaxPayable, Balance, PrepaidHeld, Refunds, Unapplied, Revenue,
	Breakage, Promotion,
	BadDebt, DisputeLoss}

// Entry is one side: a debit if positive, a credit if negative, in minor units.
type Entry struct {
	Account Account `json:"account"`
	Amount  int64   `json:"amount"`
}

// Tx is one transaction.
type Tx struct {
	Key       string         `json:"key"`       // names the fact that it books
	At        time.Time      `json:"at"`        // when it was booked
	Effective time.Time      `json:"effective"` // the day whose books it belongs to; At unless it books what was earned before
	Customer  string         `json:"customer,omitempty"`
	Document  string         `json:"document,omitempty"`
	Memo      string         `json:"memo"`
	Currency  money.Currency `json:"currency"`
	Entries   []Entry        `json:"entries"`
}

type slot struct {
	a Account
	c money.Currency
}

// Book is a list of transactions with their balances. The zero Book is empty.
type Book struct {
	txs      []Tx
	keys     map[string]int
	balances map[slot]int64
}

// Debit and Credit make entries from positive amounts.
func Debit(a Account, n int64) Entry  { return Entry{a, n} }
func Credit(a Account, n int64) Entry { return Entry{a, -n} }

// Post appends a transaction. Zero entries are dropped, and a transaction of nothing else is not booked. It fails with
// Invalid if the entries do not sum to zero or an account is not in the chart, and with Conflict if the key is taken by
// another transaction.
func (b *Book) Post(t Tx) error {
	const op = "ledger.Post"
	var sum int64
	entries := make([]Entry, 0, len(t.Entries))
	for _, e := range t.Entries {
		if !known(e.Account) {
			return fault.Errorf(op, fault.Invalid, "there is no account %q", e.Account)
		}
		if e.Amount > money.MaxMinor || e.Amount < -money.MaxMinor {
			return fault.Errorf(op, fault.TooLarge, "an entry of %d", e.Amount)
		}
		if sum += e.Amount; e.Amount != 0 {
			entries = append(entries, e)
		}
	}
	switch {
	case sum != 0:
		return fault.Errorf(op, fault.Invalid, "transaction %s does not balance: %+d", t.Key, sum)
	case t.Key == "" || !t.Currency.Known():
		return fault.Errorf(op, fault.Invalid, "a transaction needs a key and a currency")
	case len(entries) == 0:
		return nil
	}
	t.Entries = entries
	if i, ok := b.keys[t.Key]; ok {
		if equal(b.txs[i], t) {
			return nil
		}
		return fault.Errorf(op, fault.Conflict, "transaction %s is booked already, with other entries", t.Key)
	}
	if b.keys == nil {
		b.keys, b.balances = map[string]int{}, map[slot]int64{}
	}
	if t.Effective.IsZero() {
		t.Effective = t.At
	}
	b.keys[t.Key] = len(b.txs)
	b.txs = append(b.txs, t)
	for _, e := range entries {
		b.balances[slot{e.Account, t.Currency}] += e.Amount
	}
	return nil
}

func known(a Account) bool {
	for _, x := range Accounts {
		if x == a {
			return true
		}
	}
	return false
}

func equal(a, b Tx) bool {
	if a.Currency != b.Currency || len(a.Entries) != len(b.Entries) {
		return false
	}
	for i := range a.Entries {
		if a.Entries[i] != b.Entries[i] {
			return false
		}
	}
	return true
}

// Clone is a book of its own that starts with what b holds.
func (b *Book) Clone() Book {
	c := Book{txs: b.txs[:len(b.txs):len(b.txs)], keys: make(map[string]int, len(b.keys)+4),
		balances: make(map[slot]int64, len(b.balances)+4)}
	for k, v := range b.keys {
		c.keys[k] = v
	}
	for k, v := range b.balances {
		c.balances[k] = v
	}
	return c
}

// Txs lists the transactions in the order of booking. The caller must not change them.
func (b *Book) Txs() []Tx { return b.txs }

// Balance is an account's balance: debits less credits.
func (b *Book) Balance(a Account, c money.Currency) int64 { return b.balances[slot{a, c}] }

// Balances is the trial balance.
type Balances struct {
	Currency money.Currency `json:"currency"`
	Accounts []Entry        `json:"accounts"`
	Sum      int64          `json:"sum"` // zero, or the book is broken
}

// Trial adds up books: one row of balances a currency, in the order of the alphabet and the chart.
func Trial(books ...*Book) []Balances {
	sums := map[slot]int64{}
	seen := map[money.Currency]bool{}
	for _, b := range books {
		for _, t := range b.txs {
			seen[t.Currency] = true
			for _, e := range t.Entries {
				sums[slot{e.Account, t.Currency}] += e.Amount
			}
		}
	}
	var cs []money.Currency
	for c := range seen {
		cs = append(cs, c)
	}
	sort.Slice(cs, func(i, j int) bool { return cs[i] < cs[j] })
	var out []Balances
	for _, c := range cs {
		row := Balances{Currency: c}
		for _, a := range Accounts {
			if n := sums[slot{a, c}]; n != 0 {
				row.Accounts = append(row.Accounts, Entry{a, n})
				row.Sum += n
			}
		}
		out = append(out, row)
	}
	return out
}
