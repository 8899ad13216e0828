package view

import (
	"strconv"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

const chartW, chartH = 300, 72

// Growth draws how a month's total grew day by day, where it goes if it goes on, and the limit if it is near. label says the same.
func Growth(label string, days []int64, all int, forecast, limit int64) app.UI {
	var sum int64
	for _, d := range days {
		sum += d
	}
	top := max(forecast, sum, 1)
	if limit > 0 && limit < 2*top {
		top = max(top, limit)
	}
	at := func(day int, v int64) string {
		y := chartH - 2 - float64(v)/float64(top)*(chartH-6)
		return strconv.Itoa(day*chartW/max(all, 1)) + "," + strconv.FormatFloat(y, 'f', 1, 64)
	}
	line := []string{at(0, 0)}
	sum = 0
	for i, d := range days {
		sum += d
		line = append(line, at(i+1, sum))
	}
	shape := func(class string, points ...string) app.UI {
		return app.Elem("polyline").XMLNS(svg).Attr("class", class).Attr("points", strings.Join(points, " "))
	}
	inside := []app.UI{
		shape("chart-area", append(line[:len(line):len(line)], at(len(days), 0))...),
		shape("chart-line", line...),
		shape("chart-next", line[len(line)-1], at(all, forecast)),
	}
	if limit > 0 && limit <= top {
		inside = append(inside, shape("chart-limit", at(0, limit), at(all, limit)))
	}
	return app.Elem("svg").XMLNS(svg).Attr("class", "chart").Attr("viewBox", "0 0 "+strconv.Itoa(chartW)+" "+strconv.Itoa(chartH)).
		Attr("preserveAspectRatio", "none").Role("img").Aria("label", label).Body(inside...)
}
