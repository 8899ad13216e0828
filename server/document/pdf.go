package document

import (
	"sync"
	"time"

	"github.com/johnfercher/maroto/v2"
	"github.com/johnfercher/maroto/v2/pkg/components/col"
	"github.com/johnfercher/maroto/v2/pkg/components/line"
	"github.com/johnfercher/maroto/v2/pkg/components/row"
	"github.com/johnfercher/maroto/v2/pkg/components/text"
	"github.com/johnfercher/maroto/v2/pkg/config"
	"github.com/johnfercher/maroto/v2/pkg/consts/align"
	"github.com/johnfercher/maroto/v2/pkg/consts/fontstyle"
	"github.com/johnfercher/maroto/v2/pkg/core"
	"github.com/johnfercher/maroto/v2/pkg/core/entity"
	"github.com/johnfercher/maroto/v2/pkg/props"
	"github.com/johnfercher/maroto/v2/pkg/repository"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"

	"holdfast/sync/fault"
)

// family is the font of the papers: Latin, Greek and Cyrillic letters. Letters that it lacks show as boxes; HTML and
// UBL carry them.
const family = "go"

var fonts = sync.OnceValues(func() ([]*entity.CustomFont, error) {
	return repository.New().AddUTF8FontFromBytes(family, fontstyle.Normal, goregular.TTF).AddUTF8FontFromBytes(family,
		fontstyle.Bold, gobold.TTF).Load()
})

var (
	ink  = &props.Color{Red: 22, Green: 25, Blue: 29}
	soft = &props.Color{Red: 91, Green: 100, Blue: 112}
	rule = &props.Color{Red: 217, Green: 222, Blue: 228}
)

// PDF makes the paper as A4. made is the date in the file's properties: the same paper and date give the same bytes.
func (p Paper) PDF(made time.Time) ([]byte, error) {
	const op = "document.PDF"
	list, err := fonts()
	if err != nil {
		return nil, fault.E(op, fault.Other, err)
	}
	m := maroto.New(config.NewBuilder().WithCustomFonts(list).WithDefaultFont(&props.Font{Family: family, Size: 9.5, Color: ink}).
		WithLeftMargin(20).WithRightMargin(20).WithTopMargin(20).WithBottomMargin(18).WithSequentialMode().
		WithPageNumber(props.PageNumber{Pattern: p.Title + " " + p.Number + ", page {current} of {total}",
			Place: props.RightBottom, Family: family, Size: 8, Color: soft}).
		WithTitle(p.Title+" "+p.Number, true).WithAuthor(p.SellerName, true).WithCreationDate(made).WithCompression(true).Build())
	p.head(m)
	p.table(m)
	p.foot(m)
	doc, err := m.Generate()
	if err != nil {
		return nil, fault.E(op, fault.Other, err)
	}
	return doc.GetBytes(), nil
}

func plain() props.Text { return props.Text{Color: ink, Bottom: 1.2} }
func bold(size float64) props.Text {
	return props.Text{Style: fontstyle.Bold, Size: size, Color: ink, Bottom: 1.2}
}
func grey() props.Text { return props.Text{Size: 8.5, Color: soft, Bottom: 1.2} }
func across(c *props.Color, w float64) core.Col {
	return line.NewCol(12, props.Line{Color: c, Thickness: w, SizePercent: 100, OffsetPercent: 30})
}
func right(t props.Text) props.Text {
	t.Align = align.Right
	return t
}

func (p Paper) head(m core.Maroto) {
	title := p.Title + " " + p.Number
	state := bold(11)
	state.Color, state.Top = &props.Color{Red: 17, Green: 107, Blue: 67}, 2.5
	m.AddAutoRow(text.NewCol(9, title, bold(18)), text.NewCol(3, p.Status, right(state)))
	m.AddRow(8, across(ink, 0.5))
	m.AddAutoRow(text.NewCol(4, "From", grey()), text.NewCol(4, "To", grey()), text.NewCol(4, "Details", grey()))
	for i := range max(len(p.Seller), len(p.Buyer), len(p.Facts)) {
		style := plain()
		if i == 0 {
			style = bold(9.5)
		}
		at := func(list []string) string {
			if i < len(list) {
				return list[i]
			}
			return ""
		}
		style.Right = 4
		cols := []core.Col{text.NewCol(4, at(p.Seller), style), text.NewCol(4, at(p.Buyer), style)}
		if i < len(p.Facts) {
			cols = append(cols, text.NewCol(2, p.Facts[i].Label, props.Text{Color: soft, Bottom: 1.2}),
				text.NewCol(2, p.Facts[i].Text, right(plain())))
		}
		m.AddAutoRow(cols...)
	}
	m.AddRows(row.New(8))
}

// widths are the columns of the table, twelve in all. Those that would be empty are left out, and the name gets their room.
func (p Paper) widths() [6]int {
	w := [6]int{0, 1, 2, 2, 1, 2}
	for i, has := range map[int]bool{1: p.HasQuantity, 3: p.HasDiscount, 4: p.HasTax} {
		if !has {
			w[i] = 0
		}
	}
	if w[3] == 0 && w[1] > 0 {
		w[1] = 2
	}
	w[0] = 12 - w[1] - w[2] - w[3] - w[4] - w[5]
	return w
}

func (p Paper) table(m core.Maroto) {
	w := p.widths()
	add := func(cells [6]string, first, rest props.Text) {
		cols := []core.Col{text.NewCol(w[0], cells[0], first)}
		for i := 1; i < 6; i++ {
			if w[i] > 0 {
				cols = append(cols, text.NewCol(w[i], cells[i], right(rest)))
			}
		}
		m.AddAutoRow(cols...)
	}
	add([6]string{"What", "Quantity", "Amount", "Discount", "Tax", "Net (" + p.Currency + ")"}, grey(), grey())
	hair := func() { m.AddRow(4.5, across(rule, 0.2)) }
	hair()
	for _, l := range p.Lines {
		add([6]string{l.Name, l.Quantity, l.Amount, l.Discount, l.Tax, l.Net}, props.Text{Color: ink, Right: 3, Bottom: 1.2}, plain())
		if l.Period != "" {
			m.AddAutoRow(text.NewCol(8, l.Period, grey()))
		}
		for _, d := range l.Details {
			m.AddAutoRow(text.NewCol(4, d.Label, props.Text{Size: 8.5, Color: soft, Bottom: 1.2, Left: 3}),
				text.NewCol(2, d.Text, right(grey())))
		}
		hair()
	}
}

func (p Paper) foot(m core.Maroto) {
	m.AddRows(row.New(2))
	for _, s := range p.Sums {
		style := props.Text{Color: ink, Top: 0.6, Bottom: 1.2}
		if s.Strong {
			style.Style, style.Size = fontstyle.Bold, 10.5
		}
		m.AddAutoRow(col.New(5), text.NewCol(4, s.Label, style), text.NewCol(3, s.Text, right(style)))
	}
	m.AddRows(row.New(8))
	for _, n := range p.Notes {
		m.AddAutoRow(text.NewCol(12, n, grey()))
	}
}
