//go:build !js

package sqlite

import (
	"errors"

	driver "modernc.org/sqlite"
)

func driverCode(err error) int {
	if e, ok := errors.AsType[*driver.Error](err); ok {
		return e.Code()
	}
	return 0
}
