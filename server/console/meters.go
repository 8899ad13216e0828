package console

import (
	"strings"
	"time"

	"holdfast/server/catalog"
)

func (c *console) meters(k *call) (any, error) {
	now, cat := c.Now(), c.Billing.Catalog()
	month := time.Date(now.UTC().Year(), now.UTC().Month(), 1, 0, 0, 0, 0, time.UTC)
	totals, err := c.Meters.Totals(k.ctx, month)
	if err != nil {
		return nil, err
	}
	health, err := c.Meters.Health(k.ctx)
	if err != nil {
		return nil, err
	}
	regions := &table{Caption: "How far each region's usage was read", Heads: []head{{Text: "Region"}, {Text: "Read"}, {Text: "Last counted"}, {Text: "Events read", Num: true, Wide: true}, {Text: "Set aside", Num: true}, {Text: "Read again", Num: true, Wide: true}}}
	for _, h := range health {
		read := cell{Text: "Up to date", Chip: "green"}
		if l := lag(h, now); l > 0 {
			read = cell{Text: "Behind", Chip: pick(l >= lagAlarm, "red", "amber"), Small: "the last time was " + ago(now, h.AsOf)}
		}
		last := cell{Text: "nothing yet"}
		if h.ReadMS > 0 {
			last = cell{Text: ago(now, time.UnixMilli(h.ReadMS)), Small: moment(time.UnixMilli(h.ReadMS))}
		}
		regions.Rows = append(regions.Rows, row{Cells: []cell{{Text: h.Region}, read, last, {Text: number(int64(h.Watermark))}, {Text: number(h.Aside)}, {Text: count(int(h.Epoch), "time", "times")}}})
	}
	used := &table{Caption: "What all workspaces used this month", Heads: []head{{Text: "Meter"}, {Text: "Used", Num: true}, {Text: "Unit", Wide: true}}}
	for _, t := range totals {
		used.Rows = append(used.Rows, row{Cells: []cell{{Text: meterName(cat, t.Meter), Small: t.Meter}, {Text: number(t.Quantity)}, {Text: strings.ReplaceAll(t.Unit, "-", " ")}}})
	}
	defs := &table{Caption: "Definitions", Heads: []head{{Text: "Meter"}, {Text: "Counts"}, {Text: "Of each event", Wide: true}, {Text: "By", Wide: true}, {Text: "Filter", Wide: true}, {Text: "Since", Wide: true}, {Text: "Priced in", Num: true}}}
	for i := range cat.Meters {
		m := &cat.Meters[i]
		defs.Rows = append(defs.Rows, row{Cells: []cell{{Text: pick(m.Name == "", m.ID, m.Name), Small: m.ID}, {Text: aggregateNames[m.Aggregate], Small: "events of type " + m.Event}, {Text: pick(m.Aggregate == "count", "", pick(m.Value == "", "value", m.Value))},
			{Text: strings.Join(m.GroupBy, ", ")}, {Text: filterText(m.Filter)}, {Text: pick(m.From.IsZero(), "always", date(m.From))}, {Text: count(pricedIn(cat, m.ID), "price", "prices")}}})
	}
	return page{Title: "Meters", Intro: "What is counted, how much of it was used, and how fresh the figures are. Regions keep what they counted until it is read.", Sections: []section{
		{Title: "Regions", Table: regions, Empty: "Regions are here once the first one linked to this hub."},
		{Title: "Used in " + month.Format("January 2006"), Note: "storage is what all regions hold now", Table: used, Empty: "Nothing was counted this month yet."},
		{Title: "Definitions", Table: defs, Empty: "The catalogue defines no meters."},
	}}, nil
}

var aggregateNames = map[string]string{"sum": "Sum", "count": "Number of events", "unique": "Different values", "min": "Smallest", "max": "Largest", "average": "Average", "latest": "Latest", "weighted": "Average over time"}

// meterName is what the catalogue calls what is counted as an event type.
func meterName(cat *catalog.Catalog, event string) string {
	for _, m := range cat.Meters {
		if m.Event == event && m.Name != "" {
			return m.Name
		}
	}
	return words(event)
}

func filterText(f map[string][]string) string {
	var out []string
	for _, k := range sorted(f) {
		out = append(out, k+" is "+strings.Join(f[k], " or "))
	}
	return strings.Join(out, ", ")
}

// pricedIn counts the prices that are by a meter, of versions for sale or not.
func pricedIn(cat *catalog.Catalog, meter string) (n int) {
	for _, plans := range [][]catalog.Plan{cat.Plans, cat.Addons} {
		for _, p := range plans {
			for _, v := range p.Versions {
				for _, x := range v.Prices {
					if x.Meter == meter {
						n++
					}
				}
			}
		}
	}
	return n
}
