//go:build js && gallery

// With the build tag gallery the page runs on data in memory: for looking at it, and for its tests.
package main

import "holdfast/app/gallery"

func main() { gallery.Run() }
