//go:build js

// Command page draws Holdfast in the browser. It is compiled to WebAssembly and holds no data of its own.
package main

import "github.com/maxence-charriere/go-app/v10/pkg/app"

type home struct{ app.Compo }

func (home) Render() app.UI {
	return app.Main().Body(app.H1().Text("Holdfast"))
}

func main() {
	app.Route("/", func() app.Composer { return &home{} })
	app.RunWhenOnBrowser()
}
