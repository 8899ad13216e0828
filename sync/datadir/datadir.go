// Package datadir keeps a node's data folder to one process.
package datadir

import (
	"os"
	"path/filepath"

	"holdfast/sync/fault"
)

// Open creates the folder when it is missing, readable for its owner only, and takes it for this process until release is
// called or the process ends, however it ends. Kind Busy: another process has it.
func Open(dir string) (release func(), err error) {
	const op = "datadir.Open"
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, &fault.Error{Op: op, Kind: fault.Unavailable, Detail: "The data folder " + dir + " cannot be made. Choose another one, or change its permissions.", Err: err}
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, &fault.Error{Op: op, Kind: fault.Unavailable, Detail: "The data folder " + dir + " cannot be written to. Choose another one, or change its permissions.", Err: err}
	}
	if err := lock(f); err != nil {
		f.Close()
		return nil, &fault.Error{Op: op, Kind: fault.Busy, Detail: "The data folder " + dir + " is in use by another Holdfast. Stop that one, or choose another folder.", Err: err}
	}
	return func() { f.Close() }, nil // the lock ends with the file
}
