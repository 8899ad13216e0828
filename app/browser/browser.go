// Package browser is the little of the browser that go-app does not give: requests, passkeys, focus, the port to the
// worker. Everything else in app is free of JavaScript and runs in native tests, where this package does nothing.
//
// Calls that wait (Fetch, the passkey ones) block their goroutine: never make them on the UI's.
package browser

import "errors"

// ErrAborted is a passkey dialog that the person closed, or that another one replaced.
var ErrAborted = errors.New("browser: the dialog was closed")

// ErrKnown is a passkey that this device already has for this account.
var ErrKnown = errors.New("browser: this device has a passkey already")

// ErrUnsupported is a browser without passkeys, or a page that may not use them.
var ErrUnsupported = errors.New("browser: passkeys do not work here")

// ErrNetwork is a request that got no answer.
var ErrNetwork = errors.New("browser: no answer")

// Port carries the JSON of package port to the replica's worker.
type Port interface {
	Post(text string)
	Close()
}

// Rect is where an element is in the viewport, in pixels.
type Rect struct{ X, Y, W, H int }
