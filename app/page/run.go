package page

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// Run draws the app in the browser's document and does not return.
//
// go-app's own loop waits 8.3 ms after each event before it draws, so that a keypress misses the frame it came in. Its
// other loop, made for tests, draws after each event: what a person does is in the document before the event returns.
// Links and the history are App's, since that loop knows no routes.
func Run(c Config) {
	engine := app.NewTestEngine()
	if err := engine.Load(&Root{App: NewApp(c)}); err != nil {
		panic(err)
	}
	w := app.Window()
	w.Set("onclick", nil)
	w.Set("onpopstate", nil)
	for {
		engine.ConsumeNext()
		engine.ConsumeAll()
	}
}
