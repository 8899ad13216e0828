package console

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"holdfast/server/billing"
	"holdfast/server/document"
	"holdfast/server/invoice"
	"holdfast/server/money"
)

func amount(n int64, c money.Currency) string { return document.Amount(n, c) + " " + string(c) }

func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2 January 2006")
}

// brief is a date where there is little room.
func brief(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2 Jan 2006")
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2 Jan 2006, 15:04")
}

// ago is how long ago something was, roughly.
func ago(now, t time.Time) string {
	if t.IsZero() || t.UnixMilli() == 0 {
		return "never"
	}
	d := now.Sub(t)
	switch {
	case d < time.Minute:
		return count(int(max(0, d/time.Second)), "second", "seconds") + " ago"
	case d < time.Hour:
		return count(int(d/time.Minute), "minute", "minutes") + " ago"
	case d < 48*time.Hour:
		return count(int(d/time.Hour), "hour", "hours") + " ago"
	}
	return count(int(d/(24*time.Hour)), "day", "days") + " ago"
}

func number(n int64) string { return document.Grouped(strconv.FormatInt(n, 10)) }

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(int64(n)) + " " + many
}

// sentence makes a fault's detail one: a capital at its beginning and a full stop at its end.
func sentence(s string) string {
	if s = strings.TrimSpace(s); s == "" {
		return s
	}
	r, n := utf8.DecodeRuneInString(s)
	s = string(unicode.ToUpper(r)) + s[n:]
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}

// words is a name of the code as people read it: past_due is Past due.
func words(s string) string {
	s = strings.NewReplacer("_", " ", "-", " ").Replace(s)
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// state is how a customer stands, in one word that operators filter by.
func state(a *billing.Account) string {
	s := a.Sub()
	switch {
	case a.Restricted:
		return "restricted"
	case s.Status == billing.Cancelled:
		return "cancelled"
	case len(a.Chases) > 0:
		return "past_due"
	case s.ID == "":
		return "none"
	}
	return string(s.Status)
}

// states in the order of the overview.
var states = []string{"trialing", "active", "past_due", "restricted", "paused", "planned", "cancelled"}

var stateNames = map[string]string{"trialing": "Trial", "active": "Active", "past_due": "Past due", "restricted": "Restricted to reading", "paused": "Paused",
	"planned": "Starts later", "cancelled": "Cancelled", "none": "No subscription"}

var stateColors = map[string]string{"trialing": "blue", "active": "green", "past_due": "amber", "restricted": "red", "paused": "gray", "planned": "gray",
	"cancelled": "gray", "none": "gray"}

func stateCell(s string) cell { return cell{Text: stateNames[s], Chip: stateColors[s]} }

var invoiceColors = map[invoice.State]string{invoice.Draft: "gray", invoice.Open: "blue", invoice.Paid: "green", invoice.Void: "gray", invoice.Uncollectible: "red"}

// invoiceState is an invoice's state with what matters most about it.
func invoiceState(v *invoice.Invoice, now time.Time) cell {
	c := cell{Text: words(string(v.State)), Chip: invoiceColors[v.State]}
	if v.State == invoice.Open && v.DueBy.Before(now) {
		c.Text, c.Chip = "Overdue", "amber"
	}
	return c
}

// days is a stretch of time in days, as billing rules say it.
func days(d time.Duration) string {
	if d%(24*time.Hour) == 0 {
		return count(int(d/(24*time.Hour)), "day", "days")
	}
	return count(int(d/time.Hour), "hour", "hours")
}
