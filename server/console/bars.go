package console

import (
	"fmt"
	"strconv"
	"strings"

	"holdfast/server/money"
)

// bars is a chart of one figure over time, drawn as SVG; the table beside it has the same figures as text.
type bars struct {
	ID          string
	Title, Desc string
	Top         string // what the highest bar stands for
	Bars        []bar
	Labels      []string
	W, H        int
}

type bar struct {
	X, Y, W, H string
	Text       string // on pointing
	Soft       bool   // not over yet
}

const (
	barW, barH = 40, 120
	barGap     = 8
)

// point is one bar's figure.
type point struct {
	Label, Text string
	Value       int64
	Soft        bool
}

func chart(title string, list []point, c money.Currency) *bars {
	var top int64
	best := 0
	for i, p := range list {
		if p.Value > top {
			top, best = p.Value, i
		}
	}
	if top == 0 {
		return nil
	}
	b := &bars{ID: strings.ToLower(string(c)), Title: title, W: barW * len(list), H: barH, Top: amount(top, c)}
	b.Desc = fmt.Sprintf("%d bars, %s to %s. The highest is %s with %s.", len(list), list[0].Label, list[len(list)-1].Label, list[best].Label, list[best].Text)
	for i, p := range list {
		h := float64(max(p.Value, 0)) / float64(top) * (barH - 4)
		if p.Value > 0 {
			h = max(h, 2)
		}
		b.Bars = append(b.Bars, bar{X: strconv.Itoa(i*barW + barGap/2), Y: f(barH - h), W: strconv.Itoa(barW - barGap), H: f(h), Text: p.Label + ": " + p.Text, Soft: p.Soft})
		b.Labels = append(b.Labels, p.Label)
	}
	return b
}

func f(x float64) string { return strconv.FormatFloat(x, 'f', 1, 64) }
