package catalog

import (
	"encoding/json"
	"fmt"
	"time"

	"holdfast/sync/fault"
)

// canonical is a version's terms as text: equal terms, equal text.
func (v Version) canonical() string {
	v.Line = 0
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%+v", v) // only an impossible date can fail; the text still tells versions apart
	}
	return string(b)
}

// Change is one difference between two catalogues.
type Change struct {
	Kind        string       `json:"kind"` // new-plan, new-version, gone, edited, new-coupon, gone-coupon, edited-coupon, tax, rules
	Plan        string       `json:"plan,omitempty"`
	Version     int          `json:"version,omitempty"`
	Text        string       `json:"text"`
	Subscribers int          `json:"subscribers"`   // on that version now; of a new one: on older ones, where they stay
	Who         []Subscriber `json:"who,omitempty"` // the first of them
	Refused     bool         `json:"refused"`       // a published version cannot be edited or taken away from its subscribers
}

// Subscriber is a customer on a version of a plan or add-on.
type Subscriber struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Version int    `json:"version"`
}

// Subscribers lists who is on a version of a plan or add-on.
type Subscribers func(plan string, version int) []Subscriber

// named puts subscribers on a change.
func (c Change) named(list []Subscriber) Change {
	c.Subscribers, c.Who = len(list), list[:min(len(list), WhoMax)]
	return c
}

// Compare lists what applying next over old would change at now, and for whom. It fails with Conflict if next edits
// the terms of a version that is for sale already, or drops one that somebody is on; the list is complete either way.
func Compare(old, next *Catalog, now time.Time, who Subscribers) ([]Change, error) {
	out := comparePlans(old.Plans, next.Plans, now, who)
	out = append(out, comparePlans(old.Addons, next.Addons, now, who)...)
	for _, k := range next.Coupons {
		switch was, err := old.Coupon(k.ID); {
		case err != nil:
			out = append(out, Change{Kind: "new-coupon", Plan: k.ID, Text: "coupon " + k.ID + " is new"})
		case !same(*was, k):
			out = append(out, Change{Kind: "edited-coupon", Plan: k.ID,
				Text: "coupon " + k.ID + " changes for those who use it from now on; what was redeemed stays"})
		}
	}
	for _, k := range old.Coupons {
		if _, err := next.Coupon(k.ID); err != nil {
			out = append(out, Change{Kind: "gone-coupon", Plan: k.ID,
				Text: "coupon " + k.ID + " can no longer be redeemed; what was redeemed stays"})
		}
	}
	if !same(old.Taxes, next.Taxes) {
		out = append(out, Change{Kind: "tax", Text: "tax rates change for invoices issued from now on"})
	}
	if !same(old.Invoices, next.Invoices) || !same(old.Dunning, next.Dunning) || !same(old.Seller, next.Seller) {
		out = append(out, Change{Kind: "rules", Text: "the seller or the rules of invoices or dunning change from now on"})
	}
	refused := 0
	for _, c := range out {
		if c.Refused {
			refused++
		}
	}
	if refused > 0 {
		return out, fault.Errorf("catalog.Compare", fault.Conflict,
			"%d changes are refused: a published version is never edited; add a new version instead", refused)
	}
	return out, nil
}

func same(a, b any) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

func comparePlans(old, next []Plan, now time.Time, who Subscribers) []Change {
	var out []Change
	byID := func(list []Plan, id string) *Plan { return find(list, func(p *Plan) bool { return p.ID == id }) }
	for _, p := range next {
		was := byID(old, p.ID)
		if was == nil {
			out = append(out, Change{Kind: "new-plan", Plan: p.ID,
				Text: fmt.Sprintf("%s is new, with %d version(s)", p.ID, len(p.Versions))})
			continue
		}
		for _, v := range p.Versions {
			before, err := was.Number(v.Number)
			switch {
			case err != nil:
				var stay []Subscriber
				for _, old := range was.Versions {
					stay = append(stay, who(p.ID, old.Number)...)
				}
				out = append(out, Change{Kind: "new-version", Plan: p.ID, Version: v.Number,
					Text: fmt.Sprintf("%s version %d is for sale from %s; subscribers of older versions stay on theirs", p.ID,
						v.Number, day(v.From, now))}.named(stay))
			case before.text != v.text:
				on := who(p.ID, v.Number)
				published := !before.From.After(now)
				out = append(out, Change{Kind: "edited", Plan: p.ID, Version: v.Number, Refused: published || len(on) > 0,
					Text: fmt.Sprintf("%s version %d has other terms than before", p.ID, v.Number)}.named(on))
			}
		}
	}
	for _, p := range old {
		now := byID(next, p.ID)
		for _, v := range p.Versions {
			gone := now == nil
			if !gone {
				_, err := now.Number(v.Number)
				gone = err != nil
			}
			if gone {
				on := who(p.ID, v.Number)
				out = append(out, Change{Kind: "gone", Plan: p.ID, Version: v.Number, Refused: len(on) > 0,
					Text: fmt.Sprintf("%s version %d is no longer in the file", p.ID, v.Number)}.named(on))
			}
		}
	}
	return out
}

func day(t, now time.Time) string {
	if !t.After(now) {
		return "now on"
	}
	return t.Format("2006-01-02")
}
