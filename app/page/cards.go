package page

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"holdfast/app/api"
	"holdfast/app/view"
)

// cards is a list that a section asks the hub for when it is mounted, and again after each change.
type cards[T any] struct {
	list   []T
	loaded bool
	failed string
}

func (c *cards[T]) load(ctx app.Context, ask func() ([]T, *api.Problem)) {
	go func() {
		list, p := ask()
		ctx.Dispatch(func(app.Context) {
			if c.failed = ""; p != nil {
				c.failed = p.Sentence()
				return
			}
			c.list, c.loaded = list, true
		})
	}()
}

// cardsText is what a section says around its list. DOM is of the button with which those who may add to it.
type cardsText struct{ Title, Add, DOM, Intro, None string }

// section draws the list: a line of two for each, with a button for those who may.
func (c *cards[T]) section(may bool, text cardsText, line func(T) (icon string, what []app.UI, button app.UI)) []app.UI {
	var list []app.UI
	for _, x := range c.list {
		icon, what, button := line(x)
		list = append(list, app.Li().Body(view.Icon(icon), app.Div().Class("what").Body(what...), app.If(may, func() app.UI { return button })))
	}
	return []app.UI{
		app.Header().Body(app.H2().Text(text.Title), app.If(may, func() app.UI {
			return view.Button{Act: "add", DOM: text.DOM, Label: text.Add, Icon: "plus"}.UI()
		})),
		app.If(text.Intro != "", func() app.UI { return app.P().Text(text.Intro) }),
		view.Notice("danger", c.failed),
		app.If(len(list) > 0, func() app.UI { return app.Ul().Class("cards").Body(list...) }).ElseIf(c.loaded && text.None != "", func() app.UI {
			return app.P().Text(text.None)
		}),
	}
}
