//go:build js

package sqlite

import (
	"errors"
	"fmt"
	"syscall/js"
)

// Error is a refusal by SQLite or by the browser's file system, with SQLite's extended result code.
type Error struct {
	Code    int
	Message string
}

func (e *Error) Error() string { return fmt.Sprintf("%s (%d)", e.Message, e.Code) }

func driverCode(err error) int {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return 0
}

// thrown turns what a promise was rejected with into an Error when it has a result code.
func thrown(v js.Value) error {
	if v.Type() == js.TypeObject {
		if v.Get("name").String() == "SQLiteError" { // the browser's own errors have a code, too, of another meaning
			return &Error{v.Get("code").Int(), v.Get("message").String()}
		}
	}
	return js.Error{Value: v}
}
