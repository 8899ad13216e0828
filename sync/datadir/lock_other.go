//go:build !unix

package datadir

import "os"

// lock does nothing: nodes run on Unix, and elsewhere the package only has to compile.
func lock(*os.File) error { return nil }
